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
  const language = languageOfWords(req)
  for (const [part, schema] of Object.entries(parts) as [keyof Parts, z.ZodType][]) {
    const result = schema.safeParse(part === 'body' ? (req.body ?? {}) : req[part])
    if (result.success) out[part] = result.data
    else
      for (const issue of result.error.issues) {
        const path = [part, ...issue.path].join('.')
        if (!errors.some((known) => known.path === path)) errors.push({ path, message: fieldWords(issue, language) })
      }
  }
  if (errors.length > 0) throw badFields(errors, req)
  return out as Parsed<P>
}

/** The `validation` problem that names these fields. */
export function badFields(errors: { path: string; message: string }[], req: Pick<Request, 'get'>): AppError {
  const isChinese = languageOfWords(req) === 'zh'
  const said = errors.map(({ path, message }) => (isChinese ? `${path}（${message}）` : `${path} (${message})`))
  const detail = isChinese ? `请更正：${said.join('；')}` : `Please correct: ${said.join('; ')}`
  return new AppError('validation', detail.slice(0, 600), { errors: errors.slice(0, 20) })
}

/** What is said of a field, in Chinese or English (Accept-Language). */
export function languageOfWords(req: Pick<Request, 'get'>): 'zh' | 'en' {
  return wantedLanguage(req)?.startsWith('zh') ? 'zh' : 'en'
}
