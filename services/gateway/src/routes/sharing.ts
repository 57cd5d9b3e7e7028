import { AppError } from '@docent/core/errors'
import type { Source } from '@docent/core/passage'
import { parse } from '@docent/kit/parse'
import { type Request, Router } from 'express'
import { z } from 'zod'
import { createSourceStates } from '../clients/source-states.ts'
import type { GatewayDeps } from '../deps.ts'
import type { ConversationView, MessageView } from '../store/conversations.ts'
import { createShares } from '../store/shares.ts'
import { isPerson } from './follow.ts'
import { pageOfAll, ShortPage } from './paging.ts'

const Id = z.object({ id: z.uuid() })
const ShareId = z.object({ shareId: z.string().regex(/^[\w-]{32}$/) })
export const ExportQuery = z.strictObject({ format: z.enum(['md', 'json']).default('md') })
const PAGE = 200
const missing = () => new AppError('not_found', 'There is no such conversation.')

/** One's conversation as a file, and links by which others may read it. */
export function sharingRouter(deps: GatewayDeps): Router {
  const router = Router()
  const { conversations, guards, pool } = deps
  const shares = createShares(pool)
  const stateOf = createSourceStates(deps.config.neighbours.ingest, deps.config.neighbours.internalToken, deps.log)

  router.get('/api/v1/conversations/:id/export', guards.chatting, async (req, res) => {
    const { params, query } = parse({ params: Id, query: ExportQuery }, req)
    const found = await own(params.id, req.principal.id)
    const messages = await all(found.id)
    res.attachment(`conversation-${found.id}.${query.format}`)
    if (query.format === 'json') return void res.json({ ...found, messages })
    res.type('text/markdown; charset=utf-8').send(markdownOf(found, messages))
  })

  router.post('/api/v1/conversations/:id/shares', guards.keeping, async (req, res) => {
    const { params } = parse({ params: Id }, req)
    const { id, createdAt } = await shares.create((await own(params.id, req.principal.id)).id)
    res.status(201).json({ id, url: `/api/v1/shared/${id}`, createdAt })
  })
  router.get('/api/v1/conversations/:id/shares', guards.chatting, async (req, res) => {
    const { params, query } = parse({ params: Id, query: ShortPage }, req)
    const links = await shares.list((await own(params.id, req.principal.id)).id)
    const page = pageOfAll(links, query, ({ id, createdAt }) => `${createdAt.toISOString()} ${id}`)
    res.json({ ...page, items: page.items.map(({ id, createdAt }) => ({ id, url: `/api/v1/shared/${id}`, createdAt })) })
  })
  router.delete('/api/v1/conversations/:id/shares', guards.chatting, async (req, res) => {
    const { params } = parse({ params: Id }, req)
    await shares.removeAll((await own(params.id, req.principal.id)).id)
    res.status(204).end()
  })

  // who holds the link reads what was said until it was made; no id in it lets him do anything else
  router.get('/api/v1/shared/:shareId', async (req, res) => {
    const { shareId } = parse({ params: ShareId }, req).params
    // a browser that is led here gets the page, which asks for the JSON
    res.vary('accept')
    if (req.accepts(['json', 'html']) === 'html') return void res.set('cache-control', 'no-store').redirect(303, `/#s=${shareId}`)
    const share = await shares.find(shareId)
    const found = share && (await conversations.byId(share.conversation))
    if (!share || !found) throw new AppError('not_found', 'There is no such link, or it was withdrawn.')
    const messages = await all(share.conversation, share.upto)
    const readable = isPerson(share.principal) ? await readableBy(req, messages) : messages.length
    res.set({ 'cache-control': 'no-store', 'x-robots-tag': 'noindex' }).json({
      title: found.title,
      createdAt: found.createdAt,
      sharedAt: share.createdAt,
      messages: messages.slice(0, readable).map(({ id: _id, ...message }) => message),
      ...(readable < messages.length ? { withheld: messages.length - readable } : {}),
    })
  })

  /** How many of them: up to the first answer that rests on a document which is not for this reader, for what follows may rest on that answer. */
  async function readableBy(req: Request, messages: readonly MessageView[]): Promise<number> {
    const cited = (message: MessageView) => ((message.sources as Source[] | undefined) ?? []).map(({ documentId }) => documentId)
    const hidden = new Set<string>()
    await Promise.all(
      [...new Set(messages.flatMap(cited))].map(async (documentId) => {
        const state = await stateOf(documentId, 1, req.principal, undefined, req)
        if (state === 'unknown')
          throw new AppError('unavailable', 'Who may read what was said here is not known now; try again in a moment.', { retryAfterS: 5 })
        if (state === 'hidden') hidden.add(documentId)
      }),
    )
    const at = messages.findIndex((message) => cited(message).some((documentId) => hidden.has(documentId)))
    return at < 0 ? messages.length : at
  }

  async function own(id: string, principal: string): Promise<ConversationView> {
    const found = await conversations.find(id, principal)
    if (!found) throw missing()
    return found
  }

  async function all(conversation: string, upto?: number): Promise<MessageView[]> {
    const messages: MessageView[] = []
    for (let after = 0; ; ) {
      const page = await conversations.messages(conversation, PAGE, after, upto)
      messages.push(...page.items)
      if (page.next === undefined) return messages
      after = Number(page.next)
    }
  }
  return router
}

/** Questions as headings, answers as they are, their sources as a list. */
export function markdownOf({ title, createdAt }: Pick<ConversationView, 'title' | 'createdAt'>, messages: readonly MessageView[]): string {
  const oneLine = (text: string) => text.replace(/\s+/g, ' ').trim()
  const parts = [`# ${oneLine(title) || 'Conversation'}`, createdAt.toISOString()]
  for (const message of messages) {
    if (message.role === 'question') {
      parts.push(`## ${oneLine(message.text)}`)
      continue
    }
    parts.push(message.text)
    if (message.state !== 'done') parts.push(`*(${message.state})*`)
    const sources = (message.sources as Source[] | undefined) ?? []
    if (sources.length > 0)
      parts.push(
        sources
          .map(({ n, path, page, heading }) => `- [${n}] ${path}${page ? `, p. ${page}` : ''}${heading ? `, ${oneLine(heading)}` : ''}`)
          .join('\n'),
      )
  }
  return `${parts.join('\n\n')}\n`
}
