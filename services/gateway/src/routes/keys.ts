import type { Warning } from '@docent/core/answer-event'
import { AppError } from '@docent/core/errors'
import { parse } from '@docent/kit/parse'
import { Router } from 'express'
import { z } from 'zod'
import { MEMORY_TOKENS } from '../answer/remember.ts'
import { reservationOf } from '../answer/tune.ts'
import { warnOfCollections } from '../clients/collections.ts'
import type { GatewayDeps } from '../deps.ts'
import { requireAdmin } from '../guard/principal.ts'
import { pageOfAll, ShortPage } from './paging.ts'
import { storableText, storableTime } from './storable-text.ts'

const Id = z.object({ id: z.uuid() })

export const NewKey = z
  .strictObject({
    name: storableText(100),
    scopes: z.array(z.enum(['chat', 'read', 'ingest', 'admin'])).min(1),
    collections: z
      .array(storableText(200))
      .min(1)
      .max(100)
      .optional()
      .meta({ description: 'What the key may search, read and, with the scope ingest, change; without it all. Not for admin keys' }),
    limits: z
      .strictObject({
        requestsPerMinute: z.number().int().min(1).max(100_000).optional(),
        uploadsPerMinute: z.number().int().min(1).max(100_000).optional(),
        openAnswers: z.number().int().min(1).max(1_000).optional(),
        tokensPerDay: z.number().int().min(1).max(1_000_000_000).optional(),
      })
      .optional(),
    expiresAt: storableTime.optional(),
  })
  .refine((key) => !key.collections || !key.scopes.includes('admin'), {
    path: ['collections'],
    message: 'a key that may administer is not bound to collections',
  })
  .refine((key) => !key.expiresAt || Date.parse(key.expiresAt) > Date.now(), { path: ['expiresAt'], message: 'has passed' })
  .meta({ id: 'NewKey' })

export const Rotate = z
  .strictObject({
    graceS: z.number().int().min(0).max(604_800).default(86_400).meta({ description: 'Seconds the old secret works on' }),
  })
  .meta({ id: 'RotateKey' })

/** Keys: made, listed without their secrets, rotated and revoked by the owner. */
export function keysRouter(deps: GatewayDeps): Router {
  const router = Router()
  const { keys, log } = deps
  const missing = () => new AppError('not_found', 'There is no such key, or it was revoked.')

  router.get('/api/v1/keys', requireAdmin, async (req, res) => {
    const { query } = parse({ query: ShortPage }, req)
    res.json(pageOfAll(await keys.list(), query, ({ createdAt, id }) => `${createdAt.toISOString()} ${id}`, 'falling'))
  })
  router.post('/api/v1/keys', requireAdmin, async (req, res) => {
    const { body } = parse({ body: NewKey }, req)
    const made = await keys.create({ ...body, limits: body.limits ?? {} })
    const warnings = [...(await warnOfCollections(deps, body.collections, req)), ...(await warnOfTokens(body.limits?.tokensPerDay))]
    log.info({ keyId: made.id, by: req.principal.id, scopes: made.scopes }, 'a key was made')
    res
      .status(201)
      .set('cache-control', 'no-store')
      .json({ ...made, ...(warnings.length > 0 ? { warnings } : {}) })
  })
  /** Fewer tokens a day than one answer puts aside before it begins: no model would ever answer this key. */
  async function warnOfTokens(tokensPerDay: number | undefined): Promise<Warning[]> {
    if (tokensPerDay === undefined) return []
    const { settings } = await deps.settings.current()
    const persona = await deps.personas.find(settings.persona)
    const { memory, tools } = deps.config.features
    const ask = { settings, principal: '', memoryTokens: memory ? MEMORY_TOKENS : 0, tools }
    const { tokens } = persona ? reservationOf({ ...ask, persona }, deps.providers) : { tokens: 0 }
    if (tokensPerDay >= tokens) return []
    const message = `An answer puts aside up to ${tokens} tokens before it begins: with fewer a day no model answers this key, and the documents are quoted.`
    return [{ code: 'small_token_limit', message }]
  }
  router.post('/api/v1/keys/:id/rotate', requireAdmin, async (req, res) => {
    const { params, body } = parse({ params: Id, body: Rotate }, req)
    const made = await keys.rotate(params.id, body.graceS)
    if (!made) throw missing()
    log.info({ keyId: made.id, by: req.principal.id }, 'a key was rotated')
    res.set('cache-control', 'no-store').json(made)
  })
  router.delete('/api/v1/keys/:id', requireAdmin, async (req, res) => {
    const { params } = parse({ params: Id }, req)
    if (!(await keys.revoke(params.id))) throw missing()
    log.info({ keyId: params.id, by: req.principal.id }, 'a key was revoked')
    res.status(204).end()
  })
  return router
}
