import { AppError } from '@docent/core/errors'
import { parse } from '@docent/kit/parse'
import { Router } from 'express'
import { z } from 'zod'
import type { GatewayDeps } from '../deps.ts'
import { requireAdmin } from '../guard/principal.ts'
import { Settings } from '../store/settings.ts'

const Id = z.object({ answerId: z.uuid() })
const List = z.object({ limit: z.coerce.number().int().min(1).max(200).default(50), before: z.iso.datetime().optional() })
// a patch has no defaults: what is not named stays as it is
const shape = Settings.shape
export const SettingsPatch = z
  .strictObject({
    topK: shape.topK.unwrap().optional(),
    searchLimit: shape.searchLimit.unwrap().optional(),
    temperature: shape.temperature.unwrap().optional(),
    maxTokens: shape.maxTokens.unwrap().optional(),
    historyTokens: shape.historyTokens.unwrap().optional(),
    persona: shape.persona.unwrap().optional(),
    cacheAnswers: shape.cacheAnswers.unwrap().optional(),
  })
  .meta({ id: 'SettingsPatch' })

/** What the owner sees and tunes. */
export function ownerRouter(deps: GatewayDeps): Router {
  const router = Router()

  router.get('/api/v1/records', requireAdmin, async (req, res) => {
    const { query } = parse({ query: List }, req)
    const items = await deps.records.list(query.limit, query.before)
    res.json({ items, ...(items.length === query.limit ? { next: items.at(-1)!.createdAt } : {}) })
  })
  router.get('/api/v1/records/:answerId', requireAdmin, async (req, res) => {
    const record = await deps.records.find(parse({ params: Id }, req).params.answerId)
    if (!record) throw new AppError('not_found', 'There is no such record.')
    res.json(record)
  })
  router.get('/api/v1/settings', requireAdmin, async (_req, res) => void res.json(await deps.settings.current()))
  router.patch('/api/v1/settings', requireAdmin, async (req, res) => {
    const { body } = parse({ body: SettingsPatch }, req)
    const patch = Object.fromEntries(Object.entries(body).filter(([, value]) => value !== undefined))
    if (body.persona && !(await deps.personas.find(body.persona)))
      throw new AppError('validation', `There is no persona "${body.persona}".`)
    res.json(await deps.settings.change(patch, req.principal.id))
  })
  router.get('/api/v1/usage', requireAdmin, async (req, res) => {
    const { query } = parse({ query: List }, req)
    res.json({ items: await deps.usage.days(query.limit), dailyTokenBudget: deps.config.guard.dailyTokens })
  })
  router.get('/api/v1/personas', async (_req, res) => {
    const current = await deps.settings.current()
    res.json({
      items: (await deps.personas.list()).map(({ id, title, version }) => ({
        id,
        title,
        version,
        isDefault: id === current.settings.persona,
      })),
    })
  })
  return router
}
