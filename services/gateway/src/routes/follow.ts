import type { Answer } from '@docent/core/answer-event'
import { AppError } from '@docent/core/errors'
import { sendEvents } from '@docent/kit/sse'
import type { Request, Response } from 'express'
import type { GatewayDeps } from '../deps.ts'
import type { AnswerRow } from '../store/messages.ts'
import type { Frame } from '../stream/live-stream.ts'

/** A frame's data is its JSON already; anything else comes from sendEvents itself. */
export function encodeFrame({ id, type, data }: { id?: number; type?: string; data: unknown }): string {
  const json = typeof data === 'string' ? data : JSON.stringify(data)
  return `${id === undefined ? '' : `id: ${id}\n`}event: ${type}\ndata: ${json}\n\n`
}

export function streamAnswer(
  req: Request,
  res: Response,
  deps: GatewayDeps,
  answerId: string,
  after = 0,
  encode = encodeFrame,
): Promise<void> {
  return sendEvents(req, res, (left) => deps.streams.read(answerId, after, left), encode)
}

/** Waits for the end as a reader does, then gives the whole answer. Undefined when the caller left. */
export async function wholeAnswer(deps: GatewayDeps, answerId: string, res: Response): Promise<Answer | undefined> {
  const left = new AbortController()
  res.on('close', () => left.abort())
  for await (const _batch of deps.streams.read(answerId, 0, left.signal)) if (left.signal.aborted) return undefined
  if (left.signal.aborted) return undefined
  return deps.answers.peek(answerId) ?? findAnswer(deps, answerId)
}

/**
 * What a person who signed in was told is for him and the admin: it may rest on documents that not everyone reads. Any other answer is
 * open to who holds its id. Errors: not_found.
 */
export async function requireFollower(req: Request, deps: GatewayDeps, answerId: string): Promise<void> {
  const { proxy, oidc } = deps.config.signIn
  if ((!proxy && !oidc) || req.principal.kind === 'admin') return
  const asker = deps.answers.askerOf(answerId) ?? (await deps.messages.answer(answerId))?.principal
  if (asker !== undefined && isPerson(asker) && asker !== req.principal.id) throw new AppError('not_found', 'There is no such answer.')
}

/** Whether this principal may be of groups, or read everything: only such ones are told what a folder keeps from others. */
export function isPerson(principal: string): boolean {
  return principal.startsWith('user:') || principal === 'admin'
}

export async function findAnswer(deps: GatewayDeps, answerId: string): Promise<Answer> {
  const known = deps.answers.peek(answerId)
  if (known && deps.answers.isRunning(answerId)) return known
  // what is stored counts, for it may have been deleted; memory helps out while the database is down
  const row = await deps.messages.answer(answerId).catch((error: unknown) => {
    if (known) return 'down' as const
    throw error
  })
  if (row === 'down') return known!
  if (!row) throw new AppError('not_found', 'There is no such answer.')
  return answerFromRow(row)
}

export function answerFromRow(row: AnswerRow): Answer {
  const { body } = row
  return {
    id: row.id,
    conversationId: row.conversation,
    state: row.state,
    text: row.text,
    answerable: body.answerable ?? true,
    sources: body.sources ?? [],
    citations: body.citations ?? [],
    degraded: body.degraded ?? [],
    ...(body.warnings ? { warnings: body.warnings } : {}),
    usage: body.usage ?? { inputTokens: 0, outputTokens: 0 },
    model: body.model ?? '',
    traceId: body.traceId ?? '',
    ...(body.approved ? { approved: body.approved } : {}),
    ...(row.error_code && row.state !== 'done' ? { error: { code: row.error_code, message: row.error_text ?? '' } } : {}),
  }
}

/** An answer that failed before it said anything is an HTTP error for a caller who waits for JSON. */
export function refuseEmptyError(answer: Answer): void {
  if (answer.state !== 'error' || answer.text !== '' || !answer.error) return
  const known = {
    unavailable: 'unavailable',
    timeout: 'timeout',
    upstream_failed: 'upstream_failed',
    rate_limited: 'rate_limited',
    upstream_unauthorized: 'upstream_unauthorized',
  } as const
  const code = known[answer.error.code as keyof typeof known] ?? 'internal'
  // limits of providers are those of a minute
  throw new AppError(code, answer.error.message, code === 'rate_limited' ? { retryAfterS: 60 } : {})
}

export type { Frame }
