import { createHash } from 'node:crypto'
import { AppError } from '@docent/core/errors'
import { Filters } from '@docent/core/passage'
import { isStorable } from '@docent/core/text/storable'
import { wantedLanguage } from '@docent/kit/wanted-language'
import type { Request } from 'express'
import { z } from 'zod'
import type { Ask, Asker } from '../answer/answer.ts'

const invisible = /[\p{Cf}\p{Cc}\p{Z}\p{Mn}ㅤ⠀]/gu

/** What a person may ask: visible, storable, of bounded length. */
export const Question = z
  .string()
  .trim()
  .min(1, 'is empty')
  .max(4_000, 'has more than 4,000 characters')
  .refine((text) => text.replace(invisible, '') !== '', 'holds nothing visible')
  .refine(isStorable, 'holds NUL or half a surrogate pair')

export const Rerank = z
  .boolean()
  .meta({ description: 'Order the passages of this question once more, or not, whatever the settings say; by what, `rerankBy` decides' })

export const AskBody = z
  .strictObject({
    question: Question,
    conversationId: z.uuid().optional(),
    collection: z.string().min(1).max(200).optional(),
    persona: z.string().min(1).max(64).optional(),
    filters: Filters.optional(),
    rerank: Rerank.optional(),
    stream: z.boolean().optional(),
    async: z.boolean().optional(),
    onDisconnect: z.enum(['detach', 'cancel']).optional(),
  })
  .meta({ id: 'Ask' })
export type AskBody = z.infer<typeof AskBody>

export function askerOf(req: Request): Asker {
  return { principal: req.principal, requestId: req.requestId, traceId: req.traceId, wanted: wantedLanguage(req) }
}

export function askOf(body: AskBody, req: Request): Ask {
  const { question, conversationId, persona, collection, rerank, onDisconnect } = body
  const filters = body.filters || collection ? { ...body.filters, ...(collection ? { collection } : {}) } : undefined
  return {
    question,
    conversationId,
    persona,
    filters,
    rerank,
    onDisconnect: onDisconnect ?? (body.async ? 'detach' : 'cancel'),
    idempotency: idempotencyOf(req),
  }
}

function idempotencyOf(req: Request): Ask['idempotency'] {
  const key = req.get('idempotency-key')
  if (key === undefined) return undefined
  if (!/^[\x21-\x7e]{1,255}$/.test(key)) throw new AppError('validation', 'Idempotency-Key has 1 to 255 visible ASCII characters.')
  return { key, bodyHash: createHash('sha256').update(JSON.stringify(req.body)).digest('base64url') }
}
