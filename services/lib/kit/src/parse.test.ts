import { AppError } from '@docent/core/errors'
import type { Request } from 'express'
import { expect, test } from 'vitest'
import { z } from 'zod'
import { parse } from './parse.ts'

const Body = z.strictObject({
  question: z
    .string()
    .trim()
    .min(1, 'is empty')
    .refine((text) => text !== '', 'holds nothing visible'),
  title: z.string().min(1).max(3_000).optional(),
  topK: z.number().int().min(1).max(20).optional(),
  ids: z.array(z.uuid()).max(2).optional(),
  mode: z.enum(['a', 'b']).optional(),
})

function refusal(body: unknown, language?: string): string {
  const req = { body, get: (name: string) => (name === 'accept-language' ? language : undefined) }
  try {
    parse({ body: Body }, req as unknown as Request)
  } catch (error) {
    if (error instanceof AppError) return error.message
  }
  throw new Error('it was taken')
}

test.each([
  [{ question: ' ' }, 'body.question (is empty)', 'body.question（为空，请填写内容）'],
  [{}, 'body.question (is missing: send a text in quotes)', 'body.question（缺少，请发送一段文字）'],
  [{ question: 7 }, 'body.question (must be a text in quotes)', 'body.question（应为一段文字）'],
  [{ question: 'x', title: '' }, 'body.title (is empty)', 'body.title（为空，请填写内容）'],
  [{ question: 'x', title: 'x'.repeat(3_001) }, 'body.title (must have at most 3,000 characters)', 'body.title（最多 3,000 个字符）'],
  [{ question: 'x', topK: 0 }, 'body.topK (must be at least 1)', 'body.topK（不能小于 1）'],
  [{ question: 'x', topK: 1.5 }, 'body.topK (must be a whole number)', 'body.topK（应为一个整数）'],
  [{ question: 'x', ids: ['1'] }, 'body.ids.0 (must be an id (UUID))', 'body.ids.0（应为一个编号（UUID））'],
  [{ question: 'x', mode: 'c' }, 'body.mode (must be one of "a", "b")', 'body.mode（应为以下之一："a", "b"）'],
  [{ question: 'x', qestion: 'y' }, 'body (has no field named qestion)', 'body（没有这些字段：qestion）'],
])('%j is refused in our words, once a field', (body, en, zh) => {
  expect(refusal(body)).toBe(`Please correct: ${en}`)
  expect(refusal(body, 'de, en;q=0.5')).toBe(`Please correct: ${en}`)
  expect(refusal(body, 'zh-CN,zh;q=0.9,en;q=0.8')).toBe(`请更正：${zh}`)
})
