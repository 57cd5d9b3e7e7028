import { AppError } from '@docent/core/errors'
import { badFields, parse } from '@docent/kit/parse'
import { type Request, type Response, Router } from 'express'
import { z } from 'zod'
import { currenciesOf } from '../answer/tune.ts'
import { createGenerations } from '../clients/generations.ts'
import type { GatewayDeps } from '../deps.ts'
import { requireAdmin } from '../guard/principal.ts'
import { type CurrentSettings, changesBetween, named, refuseOther, Settings, SettingsPatch } from '../store/settings.ts'
import { pageLimit, pageNumber } from './paging.ts'

const number = z.coerce.number().int().min(1).max(2_000_000_000)
const Version = z.object({ version: number })
export const History = z.strictObject({ limit: pageLimit(200), cursor: pageNumber(2_000_000_000) })
const Diff = z.strictObject({ from: number, to: number })
export const Change = z.strictObject({
  dryRun: z
    .enum(['true', 'false', '1', '0'])
    .default('false')
    .transform((value) => value === 'true' || value === '1')
    .meta({ description: 'Change nothing: what would differ, and what another chunking would cost' }),
})
export const Rollback = z.strictObject({ version: z.number().int().min(1).max(2_000_000_000) }).meta({ id: 'SettingsRollback' })

/** The settings, their versions, what differs between two of them, and the way back. */
export function settingsRouter(deps: GatewayDeps): Router {
  const router = Router()
  const { settings, chunking } = deps

  router.get('/api/v1/settings', requireAdmin, async (_req, res) => {
    await sendCurrent(res, await settings.current())
  })
  router.patch('/api/v1/settings', requireAdmin, async (req, res) => {
    const { body, query } = parse({ body: SettingsPatch, query: Change }, req)
    await refuseUnknownNames(deps, body, req)
    if (body.shadow?.generation !== undefined) await createGenerations(deps).refuseRetired(req, body.shadow.generation)
    if (query.dryRun) return void res.json(await rehearse(named(body), ifMatch(req)))
    await sendCurrent(res, await settings.change(body, { author: req.principal.id, ifVersion: ifMatch(req) }))
  })
  router.get('/api/v1/settings/versions', requireAdmin, async (req, res) => {
    const { query } = parse({ query: History }, req)
    const items = await settings.history(query.limit, query.cursor)
    const last = items.length === query.limit ? items.at(-1)!.version : 1
    res.json({ items, ...(last > 1 ? { next: String(last) } : {}) })
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
    const { body, query } = parse({ body: Rollback, query: Change }, req)
    const old = await find(body.version)
    await refuseUnknownNames(deps, old.settings, req)
    if (query.dryRun) return void res.json(await rehearse(old.settings, ifMatch(req)))
    const now = await settings.rollback(body.version, { author: req.principal.id, ifVersion: ifMatch(req) })
    if (!now) throw missing(body.version)
    await sendCurrent(res, now)
  })

  /** The settings, and whether ingest cuts as they say: a change is kept also while ingest cannot be told. */
  async function sendCurrent(res: Response, now: CurrentSettings) {
    res.set('etag', etagOf(now)).json({ ...now, chunking: await chunking.tell(now) })
  }

  async function rehearse(change: Partial<Settings>, ifVersion: number | undefined) {
    const { version, settings: before } = await settings.current()
    refuseOther(version, ifVersion)
    const after = Settings.parse({ ...before, ...change })
    const changes = changesBetween(before, after)
    const isCutAnew = changes.some(({ name }) => name === 'chunking')
    return { dryRun: true, version, settings: after, changes, reindex: isCutAnew ? await chunking.weigh(after.chunking) : null }
  }

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
function badPrices({ providers }: GatewayDeps, prices: NonNullable<SettingsPatch['prices']>, place: string) {
  const names = providers.map(({ name }) => name)
  const unknown = Object.keys(prices).filter((name) => !names.includes(name))
  const errors = unknown.map((name) => ({
    path: `${place}.prices.${name}`,
    message: `no provider is named so; there are: ${names.join(', ') || 'none'}`,
  }))
  const configured = currenciesOf(providers, { prices: {} })
  const currencies = new Set([...(configured.length === 1 ? configured : []), ...currenciesOf(providers, { prices })])
  if (Object.keys(prices).length > 0 && currencies.size > 1)
    errors.push({ path: `${place}.prices`, message: `costs are added up in one currency, these would be ${[...currencies].join(' and ')}` })
  return errors
}

/** Personas and models are named in settings: a name nobody has would break every question. `place`: where in the request they stand. */
export async function refuseUnknownNames(deps: GatewayDeps, patch: SettingsPatch, req: Request, place = 'body'): Promise<void> {
  const errors: { path: string; message: string }[] = []
  if (patch.persona !== undefined && !(await deps.personas.find(patch.persona)))
    errors.push({ path: `${place}.persona`, message: `there is no persona "${patch.persona}"` })
  const models = deps.config.models.providers.map(({ name }) => name)
  if (patch.model && !models.includes(patch.model))
    errors.push({ path: `${place}.model`, message: `no provider is named "${patch.model}"; there are: ${models.join(', ') || 'none'}` })
  if ('prices' in patch && patch.prices) errors.push(...badPrices(deps, patch.prices, place))
  if (errors.length > 0) throw badFields(errors, req)
}
