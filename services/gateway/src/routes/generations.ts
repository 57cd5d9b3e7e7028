import { parse } from '@docent/kit/parse'
import { type RequestHandler, Router } from 'express'
import { z } from 'zod'
import { createGenerations } from '../clients/generations.ts'
import { pipeTo } from '../clients/pipe.ts'
import type { GatewayDeps } from '../deps.ts'
import { requireAdmin } from '../guard/principal.ts'

export const GenerationId = z.object({ id: z.coerce.number().int().min(1).max(2_000_000_000) })
export const NewGeneration = z
  .strictObject({ model: z.string().min(1).max(250).meta({ description: 'One that the embedder is configured for (EMBEDDINGS_NEXT_*)' }) })
  .meta({ id: 'NewGeneration' })
export const Activation = z
  .strictObject({
    force: z.boolean().default(false).meta({ description: 'Even when it is incomplete or the golden questions find less with it' }),
  })
  .meta({ id: 'Activation' })

/** The generations of the index live in ingest; the golden questions that judge a new one are asked here. */
export function generationsRouter(deps: GatewayDeps): Router {
  const router = Router()
  const generations = createGenerations(deps)
  const { ingest, internalToken } = deps.config.neighbours
  const toIngest: RequestHandler = (req, res) => pipeTo(ingest, internalToken, { path: req.originalUrl.slice('/api/v1'.length) })(req, res)
  const known: RequestHandler = (req, _res, next) => {
    parse({ params: GenerationId }, req)
    next()
  }

  router.get('/api/v1/generations', requireAdmin, toIngest)
  router.post('/api/v1/generations', requireAdmin, (req, res) => {
    req.body = parse({ body: NewGeneration }, req).body
    return pipeTo(ingest, internalToken, { path: req.originalUrl.slice('/api/v1'.length) })(req, res)
  })
  router.post('/api/v1/generations/rollback', requireAdmin, toIngest)
  router.get('/api/v1/generations/:id', requireAdmin, known, toIngest)
  router.delete('/api/v1/generations/:id', requireAdmin, known, toIngest)

  router.post('/api/v1/generations/:id/gate', requireAdmin, async (req, res) => {
    res.json(await generations.judge(req, parse({ params: GenerationId }, req).params.id))
  })
  router.post('/api/v1/generations/:id/activate', requireAdmin, async (req, res) => {
    const { params, body } = parse({ params: GenerationId, body: Activation }, req)
    res.json(await generations.activate(req, params.id, body.force))
  })
  return router
}
