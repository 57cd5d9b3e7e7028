import { AppError } from '@docent/core/errors'
import type { Request } from 'express'
import type { z } from 'zod'

type Parts = { body?: z.ZodType; params?: z.ZodType; query?: z.ZodType; headers?: z.ZodType }
type Parsed<P extends Parts> = { [K in keyof P]: P[K] extends z.ZodType ? z.infer<P[K]> : never }

/** Parses the named parts of a request; every bad field is listed in one `validation` problem. */
export function parse<P extends Parts>(parts: P, req: Request): Parsed<P> {
  const out: Record<string, unknown> = {}
  const errors: { path: string; message: string }[] = []
  for (const [part, schema] of Object.entries(parts) as [keyof Parts, z.ZodType][]) {
    const result = schema.safeParse(part === 'body' ? (req.body ?? {}) : req[part])
    if (result.success) out[part] = result.data
    else errors.push(...result.error.issues.map((issue) => ({ path: [part, ...issue.path].join('.'), message: issue.message })))
  }
  if (errors.length > 0)
    throw new AppError(
      'validation',
      `Please correct: ${errors
        .map((e) => `${e.path} (${e.message})`)
        .join('; ')
        .slice(0, 600)}`,
      { errors: errors.slice(0, 20) },
    )
  return out as Parsed<P>
}
