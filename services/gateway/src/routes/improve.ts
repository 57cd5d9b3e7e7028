import { AppError } from '@docent/core/errors'
import { languageOf } from '@docent/core/text/language'
import { askJson, internalHeaders } from '@docent/kit/internal'
import { badFields, parse } from '@docent/kit/parse'
import { type Request, Router } from 'express'
import { z } from 'zod'
import { citationsOf, unknownMarkers } from '../answer/cite.ts'
import { clusterGaps } from '../answer/gaps.ts'
import { normalQuestion } from '../answer/same-question.ts'
import type { GatewayDeps } from '../deps.ts'
import { requireAdmin } from '../guard/principal.ts'
import type { SavedAnswer } from '../store/saved-answers.ts'
import { pageLimit, pageOfAll, ShortPage } from './paging.ts'
import { storableText, storableTime } from './storable-text.ts'

const Id = z.object({ id: z.uuid() })
const AnswerId = z.object({ answerId: z.uuid() })
const Documents = z.object({ items: z.array(z.object({ path: z.string() })) })

export const GapsQuery = z.strictObject({ from: storableTime.optional(), to: storableTime.optional(), limit: pageLimit(200) })
// the evaluation reads a whole set
export const GoldenQuery = ShortPage.extend({ limit: pageLimit(5_000, 5_000) })
export const NewGolden = z
  .strictObject({
    doc: storableText(1_000).nullable().meta({ description: 'Path of the document that answers it; null: none does' }),
    answer: storableText(2_000).nullable().default(null).meta({ description: 'Text that the right passage holds' }),
    note: storableText(2_000).optional().meta({ description: "Default: the comment of the reader's rating" }),
  })
  .meta({ id: 'NewGolden' })
export const Approve = z
  .strictObject({
    answerId: z.uuid().meta({ description: 'The answer whose text and sources are approved' }),
    question: storableText(4_000).optional().meta({ description: 'Default: the question that was asked' }),
    text: storableText(20_000)
      .optional()
      .meta({ description: 'Better words for it, with [1] for its sources. Default: the text as it is' }),
  })
  .meta({ id: 'Approve' })

// newest first; questions beyond are counted in `looked` only when they are within it
const LOOKED_AT = 2_000

/** What was answered weakly, and what the owner does about it: golden questions and approved answers. */
export function improveRouter(deps: GatewayDeps): Router {
  const router = Router()
  const { records, golden, saved } = deps

  router.get('/api/v1/gaps', requireAdmin, async (req, res) => {
    const { query } = parse({ query: GapsQuery }, req)
    const weak = await records.weak(query, LOOKED_AT)
    const gaps = clusterGaps(weak)
    const left = Math.max(0, gaps.length - query.limit)
    res.json({ items: gaps.slice(0, query.limit), left, looked: weak.length, isCut: weak.length === LOOKED_AT })
  })

  router.post('/api/v1/records/:answerId/golden', requireAdmin, async (req, res) => {
    const { params, body } = parse({ params: AnswerId, body: NewGolden }, req)
    const record = await records.find(params.answerId)
    if (!record) throw new AppError('not_found', 'There is no such record.')
    const note = body.note ?? (await deps.records.comment(params.answerId)) ?? ''
    const { answer } = body
    const doc = body.doc?.normalize('NFC') ?? null
    if (doc !== null) await refuseUnknown(req, doc)
    res.status(201).json(await golden.put({ lang: languageOf(record.question), question: record.question, doc, answer, note }))
  })
  // a question with a source that nobody has would count against every generation
  async function refuseUnknown(req: Request, doc: string): Promise<void> {
    const { ingest, internalToken } = deps.config.neighbours
    const { requestId, traceId } = req
    const init = { headers: internalHeaders(internalToken, req.principal, { requestId, traceId }), timeoutMs: 5_000 }
    const url = `${ingest}/documents?limit=20&path=${encodeURIComponent(doc)}` // those that begin so, in order
    const { items } = await askJson(url, init, (listed) => Documents.parse(listed))
    if (items.some(({ path }) => path === doc)) return
    const message = `there is no document "${doc}"; GET /api/v1/documents lists the paths, null says that none answers it`
    throw badFields([{ path: 'body.doc', message }], req)
  }
  // as the evaluation reads it: services/lib/testkit/golden
  router.get('/api/v1/golden', requireAdmin, async (req, res) => {
    const { query } = parse({ query: GoldenQuery }, req)
    const { items, next } = pageOfAll(await golden.list(), query, ({ createdAt, id }) => `${createdAt.toISOString()} ${id}`)
    const questions = items.map(({ id, lang, question, doc, answer, note }) => ({
      id,
      lang,
      kind: doc === null ? 'unanswerable' : 'mono',
      q: question,
      doc,
      answer,
      note,
    }))
    res.json({ questions, ...(next ? { next } : {}) })
  })
  router.delete('/api/v1/golden/:id', requireAdmin, async (req, res) => {
    if (!(await golden.remove(parse({ params: Id }, req).params.id))) throw new AppError('not_found', 'There is no such golden question.')
    res.status(204).end()
  })

  router.get('/api/v1/saved-answers', requireAdmin, async (req, res) => {
    const { query } = parse({ query: ShortPage }, req)
    const page = pageOfAll(await saved.list(), query, ({ createdAt, id }) => `${createdAt.toISOString()} ${id}`, 'falling')
    res.json({ ...page, items: page.items.map(viewOf) })
  })
  router.post('/api/v1/saved-answers', requireAdmin, async (req, res) => {
    const { body } = parse({ body: Approve }, req)
    const [record, row, sources] = await Promise.all([
      records.find(body.answerId),
      deps.messages.answer(body.answerId),
      deps.citations.ofAnswer(body.answerId),
    ])
    if (!record || !row) throw new AppError('not_found', 'There is no such answer, or it is still being written.')
    if (row.state !== 'done') throw new AppError('conflict', `This answer is ${row.state}; only a finished one can be approved.`)
    if (sources.length === 0)
      throw new AppError('validation', 'This answer names no source, so nothing could tell when it is no longer true.')
    const question = body.question ?? record.question
    const normal = normalQuestion(question)
    if (normal === '') throw new AppError('validation', 'The question holds no word.')
    const kept = sources.map(({ n, document, version, chunk, passage, source }) => ({
      source: { ...source, n },
      documentId: document,
      version,
      chunkId: chunk,
      text: passage,
    }))
    const texts = new Map(kept.map(({ source, text }) => [source.n, text]))
    const strangers = body.text === undefined ? [] : unknownMarkers(body.text, texts)
    if (strangers.length > 0) {
      const message = `names ${strangers.map((n) => `[${n}]`).join(', ')}, which is none of its sources: ${[...texts.keys()].map((n) => `[${n}]`).join(', ')}`
      throw badFields([{ path: 'body.text', message }], req)
    }
    const citations = body.text === undefined ? (row.body.citations ?? []) : citationsOf(body.text, texts)
    const text = body.text ?? row.text
    res.status(201).json(viewOf(await saved.save({ question, normal, text, sources: kept, citations, author: req.principal.id })))
  })
  router.delete('/api/v1/saved-answers/:id', requireAdmin, async (req, res) => {
    if (!(await saved.remove(parse({ params: Id }, req).params.id))) throw new AppError('not_found', 'There is no such saved answer.')
    res.status(204).end()
  })
  return router
}

function viewOf({ sources, asideAt, asideWhy, ...answer }: SavedAnswer) {
  return {
    ...answer,
    state: asideAt ? 'aside' : 'approved',
    ...(asideAt ? { aside: { at: asideAt, why: asideWhy } } : {}),
    sources: sources.map(({ source: { citationId: _id, ...source }, version }) => ({ ...source, version })),
  }
}
