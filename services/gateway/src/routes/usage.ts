import { parse } from '@docent/kit/parse'
import { Router } from 'express'
import { z } from 'zod'
import { currenciesOf } from '../answer/tune.ts'
import type { GatewayDeps } from '../deps.ts'
import { requireAdmin } from '../guard/principal.ts'

const List = z.strictObject({ limit: z.coerce.number().int().min(1).max(200).default(50) })

/** What was used, and how full the budgets are; money in `currency`, null without prices. */
export function usageRouter(deps: GatewayDeps): Router {
  const router = Router()

  router.get('/api/v1/usage', requireAdmin, async (req, res) => {
    const { query } = parse({ query: List }, req)
    const [items, budgets, { settings }] = await Promise.all([deps.usage.days(query.limit), deps.usage.shares(), deps.settings.current()])
    const [currency = null, ...others] = currenciesOf(deps.providers, settings)
    res.json({
      items,
      budgets,
      dailyTokenBudget: deps.config.guard.budgets.dayTokens,
      ...(others.length === 0
        ? { currency }
        : {
            currency: null,
            note: `The configured prices are in ${[currency, ...others].join(' and ')}; cost adds up their numbers as they are.`,
          }),
    })
  })
  return router
}
