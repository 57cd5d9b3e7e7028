import { AppError } from '@docent/core/errors'
import { parse } from '@docent/kit/parse'
import { Router } from 'express'
import { shadowed, shadowKey } from '../answer/shadow.ts'
import { createGenerations } from '../clients/generations.ts'
import type { GatewayDeps } from '../deps.ts'
import { requireAdmin } from '../guard/principal.ts'
import { Activation } from './generations.ts'

/** What the shadow of the settings found, and the call that lets it serve. It is set, changed and ended by the settings. */
export function shadowRouter(deps: GatewayDeps): Router {
  const router = Router()
  const { settings, records } = deps
  const generations = createGenerations(deps)

  router.get('/api/v1/shadow', requireAdmin, async (_req, res) => {
    const { shadow } = (await settings.current()).settings
    res.json({ shadow, figures: shadow ? await records.shadowFigures(shadowKey(shadow)) : null })
  })
  router.post('/api/v1/shadow/promote', requireAdmin, async (req, res) => {
    const { body } = parse({ body: Activation }, req)
    const now = await settings.current()
    const { shadow } = now.settings
    if (!shadow) throw new AppError('conflict', 'No shadow is set: PATCH /api/v1/settings {"shadow": {…}} sets one.')
    const wanted = shadowed(now.settings, shadow)
    // the generation may refuse; the settings, changed upon the version that was read, follow it
    const generation = shadow.generation === undefined ? undefined : await generations.activate(req, shadow.generation, body.force, wanted)
    const { gate, rerank, retrieval } = wanted
    const promoted = await settings.change(
      { gate, rerank, retrieval, shadow: null },
      { author: req.principal.id, note: `promoted shadow ${shadowKey(shadow)}`, ifVersion: now.version },
    )
    res.json({ ...promoted, ...(generation ? { generation } : {}) })
  })
  return router
}
