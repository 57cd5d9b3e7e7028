import { AppError } from '@docent/core/errors'
import { SearchRequest } from '@docent/core/passage'
import { parse } from '@docent/kit/parse'
import { type RequestHandler, Router } from 'express'
import { z } from 'zod'
import { pipeTo } from '../clients/pipe.ts'
import type { GatewayDeps } from '../deps.ts'
import { requireAdmin, requireIngest } from '../guard/principal.ts'
import { Question } from './ask-body.ts'

const Id = z.object({ id: z.uuid() })
// what nobody can ask is not searched for either
const Search = SearchRequest.extend({ query: Question })

/** Documents live in ingest, search in retrieval; this is their door to the outside. */
export function documentsRouter(deps: GatewayDeps): Router {
  const router = Router()
  const { ingest, retrieval, internalToken } = deps.config.neighbours
  const { reading, uploading } = deps.guards
  const toIngest: RequestHandler = (req, res) => {
    const path = req.originalUrl.slice('/api/v1'.length)
    return pipeTo(ingest, internalToken, { path, ...(path.endsWith('/file') ? { change: guardFile } : {}) })(req, res)
  }
  const known: RequestHandler = (req, _res, next) => {
    parse({ params: Id }, req)
    next()
  }
  const uploads: RequestHandler = (_req, _res, next) => {
    if (!deps.config.guard.uploads) throw new AppError('forbidden', 'Uploads are switched off (UPLOADS_ENABLED).')
    next()
  }

  router.get('/api/v1/documents', reading, toIngest)
  router.get('/api/v1/documents/events', reading, toIngest)
  router.get('/api/v1/documents/:id', reading, known, toIngest)
  router.get('/api/v1/documents/:id/file', reading, known, toIngest)
  router.get('/api/v1/documents/:id/chunks', reading, known, toIngest)
  router.get('/api/v1/documents/:id/preview', requireAdmin, known, toIngest) // it costs a run of the parser
  router.patch('/api/v1/documents/:id/chunks/:chunkId', requireAdmin, known, toIngest)
  router.delete('/api/v1/documents/:id/chunk-edits/:sourceHash', requireAdmin, known, toIngest)
  router.post('/api/v1/documents', requireIngest, uploads, uploading, toIngest)
  router.delete('/api/v1/documents/:id', requireIngest, known, toIngest)
  router.post('/api/v1/documents/retry', requireIngest, toIngest)
  router.post('/api/v1/documents/confirm-removal', requireAdmin, toIngest)
  router.post('/api/v1/documents/:id/retry', requireIngest, known, toIngest)
  router.post('/api/v1/documents/:id/cancel', requireIngest, known, toIngest)
  router.get('/api/v1/documents/:id/attempts', requireIngest, known, toIngest)
  router.get('/api/v1/collections', reading, toIngest)
  router.get(['/api/v1/ingest', '/api/v1/ingest/scans'], requireAdmin, toIngest)
  router.post(['/api/v1/ingest/pause', '/api/v1/ingest/resume', '/api/v1/ingest/scan'], requireAdmin, toIngest)

  router.post('/api/v1/search', reading, (req, res) => {
    const { body } = parse({ body: Search }, req)
    // collections in, as the public shape has them; what only the services need stays inside
    req.body = body
    return pipeTo(retrieval, internalToken, { path: '/search' })(req, res)
  })
  return router
}

/** A stranger's file must not run as a page of ours. */
export function guardFile(headers: Record<string, string | string[] | undefined>): void {
  const type = String(headers['content-type'] ?? '')
  if (!type.startsWith('application/pdf'))
    headers['content-security-policy'] = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; sandbox"
}
