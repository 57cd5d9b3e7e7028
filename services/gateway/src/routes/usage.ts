import { parse } from '@docent/kit/parse'
import { Router } from 'express'
import { z } from 'zod'
import { currenciesOf } from '../answer/tune.ts'
import type { GatewayDeps } from '../deps.ts'
import { requireAdmin } from '../guard/principal.ts'
import { pageCursor, pageDay, pageLimit, pageOf, pageText, principalFilter } from './paging.ts'

export const UsageQuery = z.strictObject({
  from: pageDay.optional().meta({ description: 'The first day, like 2026-11-01; days are UTC' }),
  to: pageDay.optional().meta({ description: 'The last day' }),
  principal: principalFilter,
  limit: pageLimit(1_000),
  cursor: pageCursor(z.tuple([pageDay, pageText])),
})

/** What was used, and how full the budgets are; money in `currency`, null without prices. */
export function usageRouter(deps: GatewayDeps): Router {
  const router = Router()

  router.get('/api/v1/usage', requireAdmin, async (req, res) => {
    const { limit, cursor, ...filter } = parse({ query: UsageQuery }, req).query
    const [rows, budgets, { settings }] = await Promise.all([
      deps.usage.days(filter, limit + 1, cursor),
      deps.usage.shares(),
      deps.settings.current(),
    ])
    const [currency = null, ...others] = currenciesOf(deps.providers, settings)
    res.json({
      ...pageOf(rows, limit, ({ day, principal }) => [day, principal]),
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
