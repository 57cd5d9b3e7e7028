import { z } from 'zod'

/** Who asks. `kind` decides what he may do; `collections` undefined means all. */
export const Principal = z.object({
  id: z.string(),
  kind: z.enum(['anonymous', 'key', 'user', 'admin']),
  scopes: z.array(z.enum(['chat', 'read', 'ingest', 'admin'])),
  collections: z.array(z.string()).optional(),
  /** of who signed in; folders may be kept for some groups */
  groups: z.array(z.string()).optional(),
  /** of a key; what is not named is not limited beyond what holds for all */
  limits: z
    .object({ requestsPerMinute: z.number().optional(), openAnswers: z.number().optional(), tokensPerDay: z.number().optional() })
    .optional(),
})
export type Principal = z.infer<typeof Principal>

export const principalHeader = 'x-docent-principal'
export const internalTokenHeader = 'x-docent-token'

export function encodePrincipal(principal: Principal): string {
  return Buffer.from(JSON.stringify(principal)).toString('base64url')
}

export function decodePrincipal(header: string): Principal {
  return Principal.parse(JSON.parse(Buffer.from(header, 'base64url').toString('utf8')))
}
