import { Router } from 'express'
import { priceOf } from '../answer/tune.ts'
import type { GatewayDeps } from '../deps.ts'
import { requireAdmin } from '../guard/principal.ts'

/** The providers of models in the order in which they are asked, as this process sees them; no keys. */
export function providersRouter(deps: GatewayDeps): Router {
  const router = Router()
  router.get('/api/v1/providers', requireAdmin, async (_req, res) => {
    const { settings } = await deps.settings.current()
    const items = await Promise.all(
      deps.providers.map(async (provider) => ({ ...(await provider.view()), price: priceOf(provider, settings) })),
    )
    res.json({ items, lastResort: 'extractive' })
  })
  return router
}
