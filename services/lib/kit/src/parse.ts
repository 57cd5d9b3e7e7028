import { AppError } from '@docent/core/errors'
import type { Request } from 'express'
import type { z } from 'zod'
import { fieldWords } from './field-words.ts'
import { wantedLanguage } from './wanted-language.ts'

type Parts = { body?: z.ZodType; params?: z.ZodType; query?: z.ZodType; headers?: z.ZodType }
type Parsed<P extends Parts> = { [K in keyof P]: P[K] extends z.ZodType ? z.infer<P[K]> : never }

/** Parses the named parts of a request; every bad field is listed once in one `validation` problem, in Chinese or English (Accept-Language). */
export function parse<P extends Parts>(parts: P, req: Request): Parsed<P> {
  const out: Record<string, unknown> = {}
  const errors: { path: string; message: string }[] = []
  const language = wantedLanguage(req)?.startsWith('zh') ? 'zh' : 'en'
  for (const [part, schema] of Object.entries(parts) as [keyof Parts, z.ZodType][]) {
    const result = schema.safeParse(part === 'body' ? (req.body ?? {}) : req[part])
    if (result.success) out[part] = result.data
    else
      for (const issue of result.error.issues) {
        const path = [part, ...issue.path].join('.')
        if (!errors.some((known) => known.path === path)) errors.push({ path, message: fieldWords(issue, language) })
      }
  }
  if (errors.length > 0) {
    const said = errors.map(({ path, message }) => (language === 'zh' ? `${path}（${message}）` : `${path} (${message})`))
    const detail = language === 'zh' ? `请更正：${said.join('；')}` : `Please correct: ${said.join('; ')}`
    throw new AppError('validation', detail.slice(0, 600), { errors: errors.slice(0, 20) })
  }
  return out as Parsed<P>
}
