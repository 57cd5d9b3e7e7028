import { Router } from 'express'
import type { GatewayDeps } from '../deps.ts'
import { requireAdmin } from '../guard/principal.ts'

/** The providers of models in the order in which they are asked, as this process sees them; no keys. */
export function providersRouter(deps: GatewayDeps): Router {
  const router = Router()
  router.get('/api/v1/providers', requireAdmin, (_req, res) => {
    res.json({ items: deps.providers.map((provider) => provider.view()), lastResort: 'extractive' })
  })
  return router
}
