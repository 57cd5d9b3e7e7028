import { askJson, internalHeaders } from '@docent/kit/internal'
import { parse } from '@docent/kit/parse'
import { type Request, type RequestHandler, Router } from 'express'
import { z } from 'zod'
import { askGolden, type GateResult } from '../answer/golden-gate.ts'
import { searchWishes } from '../answer/tune.ts'
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
const State = z.looseObject({ id: z.number(), state: z.string() })
const INGEST_MS = 30_000

/** The generations of the index live in ingest; the golden questions that judge a new one are asked here. */
export function generationsRouter(deps: GatewayDeps): Router {
  const router = Router()
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
    const { id } = parse({ params: GenerationId }, req).params
    await tell(req, 'GET', id, '')
    res.json(await judge(req, id))
  })
  router.post('/api/v1/generations/:id/activate', requireAdmin, async (req, res) => {
    const { params, body } = parse({ params: GenerationId, body: Activation }, req)
    const { state } = await tell(req, 'GET', params.id, '')
    // what stands by has served before; whoever forces it does not wait for a verdict
    if (state === 'building' && !body.force) await judge(req, params.id)
    res.json(await tell(req, 'POST', params.id, '/activate', body))
  })

  /** Asks the golden questions and keeps what they say with the generation. */
  async function judge(req: Request, id: number): Promise<GateResult> {
    const [golden, { settings }] = await Promise.all([deps.golden.list(), deps.settings.current()])
    const left = AbortSignal.timeout(10 * 60_000)
    const ids = { requestId: req.requestId, traceId: req.traceId }
    const result = await askGolden(golden, settings.topK, id, (request) =>
      deps.retrieval.search({ ...request, ...searchWishes(settings) }, req.principal, ids, left),
    )
    await tell(req, 'PUT', id, '/gate', result)
    return result
  }

  function tell(req: Request, method: string, id: number, action: string, body?: object) {
    const headers = { 'content-type': 'application/json', ...internalHeaders(internalToken, req.principal, { requestId: req.requestId }) }
    const init = { method, headers, timeoutMs: INGEST_MS, ...(body ? { body: JSON.stringify(body) } : {}) }
    return askJson(`${ingest}/generations/${id}${action}`, init, (answer) => State.parse(answer))
  }
  return router
}
