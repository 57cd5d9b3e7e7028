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
import { pageCursor, pageLimit, pageNumber, pageOf, pageOfAll, pageTime, ShortPage } from './paging.ts'
import { storableText } from './storable-text.ts'

const Id = z.object({ id: z.uuid() })
export const ConversationsQuery = z.strictObject({
  q: z
    .string()
    .trim()
    .min(1)
    .max(200)
    .refine(isStorable, 'cannot be searched')
    .optional()
    .meta({ description: 'Part of the title or of anything said in it' }),
  limit: pageLimit(100),
  cursor: pageCursor(z.tuple([pageTime, z.uuid()])),
})
export const MessagesQuery = z.strictObject({ limit: pageLimit(100), cursor: pageNumber() })
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
    const { query } = parse({ query: ConversationsQuery }, req)
    // who holds the id of one, which nobody can guess, goes on with it; a list would hand all ids of an address to whoever shares it
    if (!isKnowable(req.principal.id))
      throw new AppError(
        'bad_request',
        'Conversations are listed for a reader that can be told from others at the same address: send an X-Client-Id of your own, sign in, or send a key.',
      )
    const rows = await conversations.list(req.principal.id, query.limit + 1, query.cursor, query.q)
    const { items, next } = pageOf(rows, query.limit, ({ at, id }) => [at, id])
    res.json({ items: items.map(({ at: _at, ...item }) => item), ...(next ? { next } : {}) })
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
    const { items, next } = await conversations.messages(params.id, 100, 0)
    res.json({ ...found, messages: items, ...(next ? { next } : {}) })
  })
  router.get('/api/v1/conversations/:id/messages', mayChat, async (req, res) => {
    const { params, query } = parse({ params: Id, query: MessagesQuery }, req)
    if (!(await conversations.find(params.id, req.principal.id))) throw missing()
    res.json(await conversations.messages(params.id, query.limit, query.cursor ?? 0))
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
  router.post('/api/v1/conversations/:id/branch', deps.guards.keeping, async (req, res) => {
    const { params, body } = parse({ params: Id, body: Branch }, req)
    if (!(await conversations.find(params.id, req.principal.id))) throw missing()
    const id = await branches.create({ conversationId: params.id, messageId: body.messageId, principal: req.principal.id })
    const found = await conversations.find(id, req.principal.id)
    const { items, next } = await conversations.messages(id, 100, 0)
    res
      .status(201)
      .location(`/api/v1/conversations/${id}`)
      .json({ ...found, messages: items, ...(next ? { next } : {}) })
  })
  router.get('/api/v1/conversations/:id/branches', mayChat, async (req, res) => {
    const { params, query } = parse({ params: Id, query: ShortPage }, req)
    const items = await branches.tree(params.id, req.principal.id)
    if (items.length === 0) throw missing()
    res.json(pageOfAll(items, query, ({ createdAt, id }) => `${createdAt.toISOString()} ${id}`))
  })

  router.post('/api/v1/feedback', deps.guards.keeping, async (req, res) => {
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
