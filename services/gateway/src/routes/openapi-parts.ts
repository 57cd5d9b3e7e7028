import { z } from 'zod'
import type { ZodOpenApiOperationObject } from 'zod-openapi'

const Problem = z
  .object({
    type: z.string(),
    title: z.string(),
    status: z.number().int(),
    code: z.string(),
    detail: z.string(),
    requestId: z.string(),
    errors: z.array(z.object({ path: z.string(), message: z.string() })).optional(),
  })
  .meta({ id: 'Problem' })

const problem = { description: 'What went wrong, with a stable code', content: { 'application/problem+json': { schema: Problem } } }
export const json = (schema: z.ZodType, description: string, example?: unknown) => ({
  description,
  content: { 'application/json': { schema, ...(example === undefined ? {} : { example }) } },
})
export const body = (schema: z.ZodType, example?: unknown) => ({
  content: { 'application/json': { schema, ...(example === undefined ? {} : { example }) } },
})
export const loose = z.looseObject({})
export const id = z.object({ id: z.uuid() })
export const answerId = z.object({ answerId: z.uuid() })
export const admin = [{ bearer: [] }]

// what the routes answer is said for the description alone (openapi-shapes-*.ts): openapi-answers.test.ts holds one against the other
export const time = z.iso.datetime()
export const count = z.number().int()
export const code = z.string().meta({ description: 'A stable code' })
export const failure = z.object({ code, message: z.string() })
export const warnings = z.array(failure).optional().meta({ description: 'What is so, but hardly meant so' })
export const next = z.string().optional().meta({ description: 'The `cursor` of the next page; absent: this was the last one' })

/** A page of a list. */
export const pages = <T extends z.ZodType>(item: T) => z.object({ items: z.array(item), next })

/** A list that comes whole. */
export const listed = <T extends z.ZodType>(item: T) => z.object({ items: z.array(item) })

export function operation(summary: string, rest: Partial<ZodOpenApiOperationObject>): ZodOpenApiOperationObject {
  return { summary, ...rest, responses: { ...(rest.responses ?? { 200: json(loose, 'OK') }), default: problem } }
}
