import { AppError } from '@docent/core/errors'
import type { Principal } from '@docent/core/principal'
import { askJson, internalHeaders } from '@docent/kit/internal'
import { parse } from '@docent/kit/parse'
import { Router } from 'express'
import { z } from 'zod'
import { pipeTo } from '../clients/pipe.ts'
import type { GatewayDeps } from '../deps.ts'
import { guardFile } from './documents.ts'

const Id = z.object({ citationId: z.string().regex(/^[\w-]{16,64}$/) })
const State = z.object({ state: z.enum(['current', 'changed', 'gone']) })
/** Who holds a citation's id may open its document, whatever else he may. */
const citationReader: Principal = { id: 'citation', kind: 'key', scopes: ['read'] }

/** A citation by its unguessable id: the passage as it was, and whether the document still says so. */
export function citationsRouter(deps: GatewayDeps): Router {
  const router = Router()
  const { ingest, internalToken } = deps.config.neighbours

  router.get('/api/v1/citations/:citationId', async (req, res) => {
    const citation = await find(parse({ params: Id }, req).params.citationId)
    const { state } = await askJson(
      `${ingest}/documents/by-version/${citation.document}/${citation.version}`,
      { headers: internalHeaders(internalToken, citationReader, req), timeoutMs: 5_000 },
      (body) => State.parse(body),
    ).catch((error: unknown) => {
      deps.log.warn({ err: error, requestId: req.requestId }, 'the state of a cited document is not known')
      return { state: 'unknown' as const }
    })
    const { id, answer, n, source, passage } = citation
    res.json({ ...source, citationId: id, answerId: answer, n, state, text: passage, fileUrl: `/api/v1/citations/${id}/file` })
  })

  router.get('/api/v1/citations/:citationId/file', async (req, res) => {
    const citation = await find(parse({ params: Id }, req).params.citationId)
    await pipeTo(ingest, internalToken, { path: `/documents/${citation.document}/file`, principal: citationReader, change: guardFile })(
      req,
      res,
    )
  })

  async function find(id: string) {
    const citation = await deps.citations.find(id)
    if (!citation) throw new AppError('not_found', 'There is no such citation.')
    return citation
  }
  return router
}
