import { AppError } from '@docent/core/errors'
import { redisKeys } from '@docent/core/redis-keys'
import { parse } from '@docent/kit/parse'
import { Router } from 'express'
import { z } from 'zod'
import type { GatewayDeps } from '../deps.ts'
import { createBranches } from '../store/branches.ts'
import { AskBody, askerOf, askOf } from './ask-body.ts'
import { answerFromRow, findAnswer, refuseEmptyError, requireFollower, streamAnswer, wholeAnswer } from './follow.ts'

const Id = z.object({ answerId: z.uuid() })
const after = z
  .string()
  .regex(/^\d{1,9}$/)
  .transform(Number)
export const Regenerate = z
  .strictObject({
    branch: z.boolean().default(false).meta({ description: 'In a new conversation that ends before this question' }),
    onDisconnect: AskBody.shape.onDisconnect,
  })
  .meta({ id: 'Regenerate' })
const STOP_WAIT_MS = 3_000

export function answersRouter(deps: GatewayDeps): Router {
  const router = Router()
  const { asking } = deps.guards
  const branches = createBranches(deps.pool)

  router.post('/api/v1/answers', asking, async (req, res) => {
    const { body } = parse({ body: AskBody }, req)
    const begun = await deps.answers.begin(askOf(body, req), askerOf(req))
    await reply(req, res, begun, body)
  })

  router.post('/api/v1/answers/:answerId/regenerate', asking, async (req, res) => {
    const { params, body } = parse({ params: Id, body: Regenerate.prefault({}) }, req)
    const row = await deps.messages.answer(params.answerId)
    if (!row || row.principal !== req.principal.id) throw new AppError('not_found', 'There is no such answer.')
    if (row.state === 'streaming') throw new AppError('conflict', 'This answer is still being written; stop it first.')
    const question = await deps.messages.questionOf(row)
    if (!question) throw new AppError('gone', 'The question of this answer is no longer kept.')
    const at = { conversationId: row.conversation, messageId: question.id, principal: req.principal.id }
    const place = body.branch
      ? { conversationId: await branches.create({ ...at, before: true }) }
      : { conversationId: row.conversation, questionId: question.id }
    const begun = await deps.answers.begin(
      {
        question: question.text,
        onDisconnect: body.onDisconnect,
        ...place,
        ...(row.body.persona ? { persona: row.body.persona } : {}),
      },
      askerOf(req),
    )
    await reply(req, res, begun, {})
  })

  /** SSE unless the caller wants JSON; with `async` only the addresses. */
  async function reply(
    req: Parameters<typeof askerOf>[0],
    res: Parameters<typeof streamAnswer>[1],
    begun: { answerId: string; conversationId: string },
    body: Pick<AskBody, 'async' | 'stream'>,
  ): Promise<void> {
    const { answerId, conversationId } = begun
    const answerUrl = `/api/v1/answers/${answerId}`
    res.location(answerUrl).vary('accept')
    if (body.async)
      return void res.status(202).json({ id: answerId, answerId, conversationId, eventsUrl: `${answerUrl}/events`, answerUrl })
    if (body.stream !== true && req.accepts(['text/event-stream', 'application/json']) === 'application/json') {
      const answer = await wholeAnswer(deps, answerId, res)
      if (!answer) return
      refuseEmptyError(answer)
      return void res.json(answer)
    }
    await streamAnswer(req, res, deps, answerId)
  }

  router.get('/api/v1/answers/:answerId', async (req, res) => {
    const { params } = parse({ params: Id }, req)
    await requireFollower(req, deps, params.answerId)
    res.json(await findAnswer(deps, params.answerId))
  })

  router.get('/api/v1/answers/:answerId/events', async (req, res) => {
    const { params, query, headers } = parse(
      { params: Id, query: z.object({ after: after.optional() }), headers: z.object({ 'last-event-id': after.optional() }) },
      req,
    )
    const from = headers['last-event-id'] ?? query.after ?? 0
    await requireFollower(req, deps, params.answerId)
    if (!deps.streams.find(params.answerId)) {
      const row = await deps.messages.answer(params.answerId)
      if (!row) throw new AppError('not_found', 'There is no such answer.')
      // nothing more will come: 204 makes an EventSource stop
      if (row.state !== 'streaming' && from >= row.last_event) return void res.status(204).end()
    }
    await streamAnswer(req, res, deps, params.answerId, from)
  })

  router.post('/api/v1/answers/:answerId/stop', deps.guards.chatting, async (req, res) => {
    const { params } = parse({ params: Id }, req)
    const { answerId } = params
    await requireFollower(req, deps, answerId)
    const live = deps.answers.peek(answerId)
    const row = live ? undefined : await deps.messages.answer(answerId)
    if (!live && !row) throw new AppError('not_found', 'There is no such answer.')
    if (deps.config.guard.access === 'keys') {
      const owner = (row ?? (await deps.messages.answer(answerId)))?.principal
      if (req.principal.kind !== 'admin' && owner !== req.principal.id) throw new AppError('not_found', 'There is no such answer.')
    }
    if (!(await deps.answers.stop(answerId)) && row?.state === 'streaming') await stopElsewhere(answerId)
    const answer = await findAnswer(deps, answerId)
    res.status(answer.state === 'streaming' ? 202 : 200).json({ id: answerId, answerId, state: answer.state, text: answer.text })
  })

  /** The owning process hears it through Redis at once, or through Postgres within a second. */
  async function stopElsewhere(answerId: string): Promise<void> {
    await deps.messages.askToStop(answerId)
    if (deps.queue.status === 'ready') await deps.queue.publish(redisKeys.stop.channel, `stop ${answerId}`).catch(() => 0)
    const until = performance.now() + STOP_WAIT_MS
    while (performance.now() < until) {
      const row = await deps.messages.answer(answerId)
      if (!row || answerFromRow(row).state !== 'streaming') return
      await new Promise((done) => setTimeout(done, 50))
    }
  }

  return router
}
