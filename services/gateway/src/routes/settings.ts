import { AppError } from '@docent/core/errors'
import { parse } from '@docent/kit/parse'
import { type Request, Router } from 'express'
import { z } from 'zod'
import { currenciesOf } from '../answer/tune.ts'
import { createGenerations } from '../clients/generations.ts'
import type { GatewayDeps } from '../deps.ts'
import { requireAdmin } from '../guard/principal.ts'
import { type CurrentSettings, changesBetween, SettingsPatch } from '../store/settings.ts'

const number = z.coerce.number().int().min(1).max(2_000_000_000)
const Version = z.object({ version: number })
const History = z.strictObject({ limit: z.coerce.number().int().min(1).max(200).default(50), before: number.optional() })
const Diff = z.strictObject({ from: number, to: number })
export const Rollback = z.strictObject({ version: z.number().int().min(1).max(2_000_000_000) }).meta({ id: 'SettingsRollback' })

/** The settings, their versions, what differs between two of them, and the way back. */
export function settingsRouter(deps: GatewayDeps): Router {
  const router = Router()
  const { settings } = deps

  router.get('/api/v1/settings', requireAdmin, async (_req, res) => {
    const now = await settings.current()
    res.set('etag', etagOf(now)).json(now)
  })
  router.patch('/api/v1/settings', requireAdmin, async (req, res) => {
    const { body } = parse({ body: SettingsPatch }, req)
    await refuseUnknownNames(deps, body)
    if (body.shadow?.generation !== undefined) await createGenerations(deps).refuseRetired(req, body.shadow.generation)
    const now = await settings.change(body, { author: req.principal.id, ifVersion: ifMatch(req) })
    res.set('etag', etagOf(now)).json(now)
  })
  router.get('/api/v1/settings/versions', requireAdmin, async (req, res) => {
    const { query } = parse({ query: History }, req)
    const items = await settings.history(query.limit, query.before)
    res.json({ items, ...(items.length === query.limit && items.at(-1)!.version > 1 ? { next: items.at(-1)!.version } : {}) })
  })
  router.get('/api/v1/settings/versions/:version', requireAdmin, async (req, res) => {
    res.json(await find(parse({ params: Version }, req).params.version))
  })
  router.get('/api/v1/settings/diff', requireAdmin, async (req, res) => {
    const { query } = parse({ query: Diff }, req)
    const [from, to] = await Promise.all([find(query.from), find(query.to)])
    res.json({ from: from.version, to: to.version, changes: changesBetween(from.settings, to.settings) })
  })
  router.post('/api/v1/settings/rollback', requireAdmin, async (req, res) => {
    const { body } = parse({ body: Rollback }, req)
    const old = await find(body.version)
    await refuseUnknownNames(deps, old.settings)
    const now = await settings.rollback(body.version, { author: req.principal.id, ifVersion: ifMatch(req) })
    if (!now) throw missing(body.version)
    res.set('etag', etagOf(now)).json(now)
  })

  async function find(version: number) {
    const found = await settings.version(version)
    if (!found) throw missing(version)
    return found
  }
  return router
}

const missing = (version: number) => new AppError('not_found', `There are no settings of version ${version}.`)
const etagOf = ({ version }: CurrentSettings) => `"${version}"`

/** If-Match: the version a change is made upon. `*` and no header mean any. */
function ifMatch(req: Request): number | undefined {
  const header = req.get('if-match')
  if (header === undefined || header === '*') return undefined
  const version = /^(?:W\/)?"?(\d{1,9})"?$/.exec(header)?.[1]
  if (!version) throw new AppError('validation', 'If-Match holds the version, like "3", from the ETag of GET /api/v1/settings.')
  return Number(version)
}

/** What answers cost is added up, per day and against the budgets, so all prices are in one currency: the configured one, if there is one. */
function badPrices({ providers }: GatewayDeps, prices: NonNullable<SettingsPatch['prices']>) {
  const names = providers.map(({ name }) => name)
  const unknown = Object.keys(prices).filter((name) => !names.includes(name))
  const errors = unknown.map((name) => ({
    path: `body.prices.${name}`,
    message: `no provider is named so; there are: ${names.join(', ') || 'none'}`,
  }))
  const configured = currenciesOf(providers, { prices: {} })
  const currencies = new Set([...(configured.length === 1 ? configured : []), ...currenciesOf(providers, { prices })])
  if (Object.keys(prices).length > 0 && currencies.size > 1)
    errors.push({ path: 'body.prices', message: `costs are added up in one currency, these would be ${[...currencies].join(' and ')}` })
  return errors
}

/** Personas and models are named in settings: a name nobody has would break every question. */
export async function refuseUnknownNames(deps: GatewayDeps, patch: SettingsPatch): Promise<void> {
  const errors: { path: string; message: string }[] = []
  if (patch.persona !== undefined && !(await deps.personas.find(patch.persona)))
    errors.push({ path: 'body.persona', message: `there is no persona "${patch.persona}"` })
  const models = deps.config.models.providers.map(({ name }) => name)
  if (patch.model && !models.includes(patch.model))
    errors.push({ path: 'body.model', message: `no provider is named "${patch.model}"; there are: ${models.join(', ') || 'none'}` })
  if ('prices' in patch && patch.prices) errors.push(...badPrices(deps, patch.prices))
  if (errors.length > 0)
    throw new AppError('validation', `Mend: ${errors.map(({ path, message }) => `${path} (${message})`).join('; ')}`, { errors })
}
