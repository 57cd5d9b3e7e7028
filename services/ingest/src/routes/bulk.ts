import { AppError } from '@docent/core/errors'
import type { Corpus } from '@docent/corpus/corpus'
import { principalOf } from '@docent/kit/internal'
import { parse } from '@docent/kit/parse'
import { Router } from 'express'
import { z } from 'zod'
import type { Events } from '../events.ts'
import type { Push } from '../queue.ts'
import type { Scanner } from '../scan/scan-folder.ts'
import { findVisible, requireIngest, sightOf } from './access.ts'

type Deps = { corpus: Corpus; events: Events; scanner: Scanner; push: Push; stopJob: (documentId: string) => Promise<void> }

const Retry = z.strictObject({
  /** a path, or the beginning of paths: `manuals/` is a folder */
  path: z
    .string()
    .max(1_000)
    .refine((path) => !path.includes('\0'), 'must not hold NUL')
    .optional(),
  state: z.enum(['failed', 'skipped', 'ready']).default('failed'),
})
const One = { params: z.object({ documentId: z.uuid() }) }

/** Retry of many in one call, cancel, and what became of each attempt. */
export function bulkRouter({ corpus, events, scanner, push, stopJob }: Deps): Router {
  const router = Router()

  router.post('/documents/retry', async (req, res) => {
    const principal = principalOf(req)
    requireIngest(principal)
    const { path, state } = parse({ body: Retry }, req).body
    const where = { states: [state], ...(path === undefined ? {} : { path: path.normalize('NFC') }), ...sightOf(principal) }
    const queued = await corpus.requeueDocuments(where)
    // asked for by hand, but many: a single one and new files still go before
    await push(queued, queued.length === 1 ? 'now' : undefined)
    for (const document of queued) events.documentChanged({ documentId: document.id, path: document.path, state: 'queued' })
    // a file that could never be read has no content to queue: looking again is its retry
    if (state !== 'ready') await scanner.scan()
    res.status(202).json({ queued: queued.length, left: await corpus.countUnread(where) })
  })

  router.get('/documents/:documentId/attempts', async (req, res) => {
    const principal = principalOf(req)
    requireIngest(principal)
    const { params, query } = parse({ ...One, query: z.strictObject({ limit: z.coerce.number().int().min(1).max(100).default(20) }) }, req)
    await findVisible(corpus, params.documentId, principal)
    const attempts = await corpus.listAttempts(params.documentId, query.limit)
    res.json({ items: attempts.map(({ detail, ...attempt }) => ({ ...detail, ...attempt })) })
  })

  router.post('/documents/:documentId/cancel', async (req, res) => {
    const principal = principalOf(req)
    requireIngest(principal)
    const { documentId } = parse(One, req).params
    const document = await findVisible(corpus, documentId, principal)
    if (!(await corpus.cancelDocument(documentId)))
      throw new AppError('conflict', `The document is ${document.state}: only a queued or indexing one can be cancelled.`)
    events.documentChanged({ documentId, path: document.path, state: 'skipped', code: 'cancelled' })
    await stopJob(documentId).catch((error: unknown) => events.jobLeft(documentId, error))
    res.json(await corpus.viewDocument(documentId))
  })
  return router
}
