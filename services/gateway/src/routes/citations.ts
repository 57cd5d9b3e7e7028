import { AppError } from '@docent/core/errors'
import type { Principal } from '@docent/core/principal'
import { parse } from '@docent/kit/parse'
import { Router } from 'express'
import { z } from 'zod'
import { pipeTo } from '../clients/pipe.ts'
import { citationReader, createSourceStates } from '../clients/source-states.ts'
import type { GatewayDeps } from '../deps.ts'
import { guardFile } from './documents.ts'
import { isPerson } from './follow.ts'

const Id = z.object({ citationId: z.string().regex(/^[\w-]{16,64}$/) })
/** A citation by its unguessable id: the passage as it was, and whether the document still says so. */
export function citationsRouter(deps: GatewayDeps): Router {
  const router = Router()
  const { ingest, internalToken } = deps.config.neighbours
  const stateOf = createSourceStates(ingest, internalToken, deps.log)

  router.get('/api/v1/citations/:citationId', async (req, res) => {
    const citation = await find(parse({ params: Id }, req).params.citationId)
    const isAttached = await deps.attachments.isThere(citation.document)
    const state = isAttached ? 'current' : await stateOf(citation.document, citation.version, req.principal, undefined, req)
    if (state === 'hidden') throw new AppError('not_found', 'There is no such citation.')
    if (state === 'unknown') await requireUnrestricted(citation.answer, req.principal)
    const { id, answer, n, source, passage } = citation
    const fileUrl = isAttached ? {} : { fileUrl: `/api/v1/citations/${id}/file` }
    res.json({ ...source, citationId: id, answerId: answer, n, state, text: passage, ...fileUrl })
  })

  router.get('/api/v1/citations/:citationId/file', async (req, res) => {
    const citation = await find(parse({ params: Id }, req).params.citationId)
    if (await deps.attachments.isThere(citation.document))
      throw new AppError('gone', 'Of a file attached to a conversation only the text is kept; the citation shows the passage.')
    await pipeTo(ingest, internalToken, {
      path: `/documents/${citation.document}/file`,
      principal: citationReader(req.principal),
      change: guardFile,
    })(req, res)
  })

  /** Ingest does not say who may read it: what only people and the admin can have been told waits until it does. */
  async function requireUnrestricted(answerId: string, reader: Principal): Promise<void> {
    const asker = (await deps.messages.answer(answerId))?.principal
    if (reader.kind !== 'admin' && asker !== undefined && isPerson(asker) && asker !== reader.id)
      throw new AppError('unavailable', 'Who may read this document is not known now; try again in a moment.', { retryAfterS: 5 })
  }

  async function find(id: string) {
    const citation = await deps.citations.find(id)
    if (!citation) throw new AppError('not_found', 'There is no such citation.')
    return citation
  }
  return router
}
