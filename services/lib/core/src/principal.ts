import { z } from 'zod'

/** Who asks. `kind` decides what he may do; `collections` undefined means all, `groups` undefined none. */
export const Principal = z.object({
  id: z.string(),
  kind: z.enum(['anonymous', 'key', 'user', 'admin']),
  scopes: z.array(z.enum(['chat', 'read', 'ingest', 'admin'])),
  collections: z.array(z.string()).optional(),
  /** of who signed in; a folder may name those that read it */
  groups: z.array(z.string()).optional(),
  /** of a key; what is not named is not limited beyond what holds for all */
  limits: z
    .object({
      requestsPerMinute: z.number().optional(),
      uploadsPerMinute: z.number().optional(),
      openAnswers: z.number().optional(),
      tokensPerDay: z.number().optional(),
    })
    .optional(),
})
export type Principal = z.infer<typeof Principal>

/** The groups that decide what he may read; undefined: he reads everything, as the admin does. */
export function readingGroups({ kind, groups }: Pick<Principal, 'kind' | 'groups'>): readonly string[] | undefined {
  return kind === 'admin' ? undefined : (groups ?? [])
}

/** Whether a document with these readers (null: everyone) may be read by someone of these groups (undefined: whatever it is). */
export function mayRead(groups: readonly string[] | undefined, readers: readonly string[] | null): boolean {
  return groups === undefined || readers === null || readers.some((reader) => groups.includes(reader))
}

export const principalHeader = 'x-docent-principal'
export const internalTokenHeader = 'x-docent-token'

export function encodePrincipal(principal: Principal): string {
  return Buffer.from(JSON.stringify(principal)).toString('base64url')
}

export function decodePrincipal(header: string): Principal {
  return Principal.parse(JSON.parse(Buffer.from(header, 'base64url').toString('utf8')))
}
