import { AppError } from '@docent/core/errors'
import { isStorable } from '@docent/core/text/storable'
import { parse } from '@docent/kit/parse'
import { databaseError } from '@docent/kit/postgres'
import { Router } from 'express'
import { z } from 'zod'
import type { GatewayDeps } from '../deps.ts'
import { isKnowable } from '../guard/principal.ts'
import { createBranches } from '../store/branches.ts'
import { forgetConversation } from './forget.ts'
import { storableText } from './storable-text.ts'

const Id = z.object({ id: z.uuid() })
const limit = z.coerce.number().int().min(1).max(100).default(50)
const List = z.object({
  limit,
  before: z.iso.datetime().optional(),
  q: z.string().trim().min(1).max(200).refine(isStorable, 'cannot be searched').optional(),
})
const MessagesQuery = z.object({
  limit,
  after: z
    .string()
    .regex(/^\d{1,18}$/)
    .default('0')
    .transform(Number),
})
const Rename = z.strictObject({
  title: storableText(200),
})
export const NewConversation = z.strictObject({ title: storableText(200) }).meta({ id: 'NewConversation' })
export const Branch = z.strictObject({ messageId: z.uuid().meta({ description: 'The last message of the branch' }) }).meta({ id: 'Branch' })
const Feedback = z
  .strictObject({
    answerId: z.uuid(),
    rating: z.union([z.literal(1), z.literal(-1)]),
    comment: z.string().max(2_000).refine(isStorable, 'cannot be stored').default(''),
  })
  .meta({ id: 'Feedback' })

const missing = () => new AppError('not_found', 'There is no such conversation.')

/** One's own conversations; those of others look as if they were not there. */
export function conversationsRouter(deps: GatewayDeps): Router {
  const router = Router()
  const { conversations, pool } = deps
  const mayChat = deps.guards.chatting
  const branches = createBranches(pool)

  router.get('/api/v1/conversations', mayChat, async (req, res) => {
    const { query } = parse({ query: List }, req)
    // who holds the id of one, which nobody can guess, goes on with it; a list would hand all ids of an address to whoever shares it
    if (!isKnowable(req.principal.id))
      throw new AppError(
        'bad_request',
        'Conversations are listed for a reader that can be told from others at the same address: send an X-Client-Id of your own, sign in, or send a key.',
      )
    const items = await conversations.list(req.principal.id, query.limit, query.before, query.q)
    res.json({ items, ...(items.length === query.limit ? { next: items.at(-1)!.updatedAt } : {}) })
  })
  // for what comes before the first question: files to be attached
  router.post('/api/v1/conversations', deps.guards.asking, async (req, res) => {
    const { body } = parse({ body: NewConversation }, req)
    const { settings } = await deps.settings.current()
    const id = await conversations.create(req.principal.id, body.title, settings.persona)
    const made = await conversations.find(id, req.principal.id)
    res.status(201).location(`/api/v1/conversations/${id}`).json(made)
  })
  router.get('/api/v1/conversations/:id', mayChat, async (req, res) => {
    const { params } = parse({ params: Id }, req)
    const found = await conversations.find(params.id, req.principal.id)
    if (!found) throw missing()
    res.json({ ...found, messages: (await conversations.messages(params.id, 100, 0)).items })
  })
  router.get('/api/v1/conversations/:id/messages', mayChat, async (req, res) => {
    const { params, query } = parse({ params: Id, query: MessagesQuery }, req)
    if (!(await conversations.find(params.id, req.principal.id))) throw missing()
    res.json(await conversations.messages(params.id, query.limit, query.after))
  })
  router.patch('/api/v1/conversations/:id', mayChat, async (req, res) => {
    const { params, body } = parse({ params: Id, body: Rename }, req)
    if (!(await conversations.rename(params.id, req.principal.id, body.title))) throw missing()
    res.json(await conversations.find(params.id, req.principal.id))
  })
  router.delete('/api/v1/conversations/:id', mayChat, async (req, res) => {
    const { params } = parse({ params: Id }, req)
    if (!(await forgetConversation(deps, params.id, req.principal.id))) throw missing()
    res.status(204).end()
  })
  router.post('/api/v1/conversations/:id/branch', mayChat, async (req, res) => {
    const { params, body } = parse({ params: Id, body: Branch }, req)
    if (!(await conversations.find(params.id, req.principal.id))) throw missing()
    const id = await branches.create({ conversationId: params.id, messageId: body.messageId, principal: req.principal.id })
    const found = await conversations.find(id, req.principal.id)
    res
      .status(201)
      .location(`/api/v1/conversations/${id}`)
      .json({ ...found, messages: (await conversations.messages(id, 100, 0)).items })
  })
  router.get('/api/v1/conversations/:id/branches', mayChat, async (req, res) => {
    const { params } = parse({ params: Id }, req)
    const items = await branches.tree(params.id, req.principal.id)
    if (items.length === 0) throw missing()
    res.json({ items })
  })

  router.post('/api/v1/feedback', mayChat, async (req, res) => {
    const { body } = parse({ body: Feedback }, req)
    const answer = await deps.messages.answer(body.answerId)
    const mayRate = deps.config.guard.access === 'public' || req.principal.kind === 'admin' || answer?.principal === req.principal.id
    if (!answer || !mayRate) throw new AppError('not_found', 'There is no such answer.')
    try {
      await pool.query(
        `INSERT INTO feedback (answer, principal, rating, comment) VALUES ($1, $2, $3, $4)
         ON CONFLICT (answer, principal) DO UPDATE SET rating = $3, comment = $4, created_at = now()`,
        [body.answerId, req.principal.id, body.rating, body.comment],
      )
    } catch (error) {
      throw databaseError(error)
    }
    res.status(201).json(body)
  })
  return router
}
