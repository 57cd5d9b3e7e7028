import { finalStates } from '@docent/core/answer-event'
import { AppError } from '@docent/core/errors'
import { isStorable } from '@docent/core/text/storable'
import { parse } from '@docent/kit/parse'
import { type Response, Router } from 'express'
import { z } from 'zod'
import { diffSources, diffText } from '../answer/diff.ts'
import type { GatewayDeps } from '../deps.ts'
import { requireAdmin } from '../guard/principal.ts'
import type { RecordFilter } from '../store/records.ts'
import { changesBetween, StoredSettings, TriedSettings } from '../store/settings.ts'
import { pageCursor, pageLimit, pageTime, principalFilter, writeCursor } from './paging.ts'
import { csvHead, csvLine } from './records-csv.ts'
import { refuseUnknownNames } from './settings.ts'
import { storableTime } from './storable-text.ts'

const Id = z.object({ answerId: z.uuid() })
const flag = z.enum(['true', 'false']).transform((value) => value === 'true')

export const RecordsQuery = z.strictObject({
  state: z.enum(finalStates).optional(),
  from: storableTime.optional(),
  to: storableTime.optional(),
  model: z.string().min(1).max(200).refine(isStorable, 'cannot be searched').optional(),
  persona: z.string().min(1).max(64).refine(isStorable, 'cannot be searched').optional(),
  principal: principalFilter,
  settingsVersion: z.coerce.number().int().min(1).max(2_000_000_000).optional(),
  degraded: z
    .string()
    .regex(/^[\w-]{1,40}$/)
    .optional()
    .meta({ description: 'any, none, or the name of the step that was missing' }),
  answerable: flag.optional(),
  rating: z.enum(['1', '-1']).transform(Number).optional(),
  text: z
    .string()
    .min(1)
    .max(200)
    .refine(isStorable, 'cannot be searched')
    .optional()
    .meta({ description: 'Part of the question or of the answer' }),
  limit: pageLimit(200),
  cursor: pageCursor(z.tuple([pageTime, z.uuid()])),
  format: z.enum(['json', 'csv', 'jsonl']).default('json').meta({ description: 'csv and jsonl export all records that match' }),
})

export const ReplayBody = z
  .strictObject({
    settings: TriedSettings.default({}).meta({ description: 'Tried instead of those of today; not kept' }),
    persona: z.string().min(1).max(64).optional().meta({ description: "Default: the record's own" }),
  })
  .meta({ id: 'Replay' })

const EXPORT_PAGE = 200

/** Flight records: the list, the export, one record whole, and the same question run again. */
export function recordsRouter(deps: GatewayDeps): Router {
  const router = Router()
  const { records, rehearsals } = deps

  router.get('/api/v1/records', requireAdmin, async (req, res) => {
    const { query } = parse({ query: RecordsQuery }, req)
    const { limit, cursor: after, format, ...filter } = query
    if (format !== 'json') return exportAll(res, filter, format)
    const { items, next } = await records.page(filter, limit, after, false)
    res.json({ items, ...(next ? { next: writeCursor(next) } : {}) })
  })

  /** Page after page, as fast as the reader takes them; leaving ends it. */
  async function exportAll(res: Response, filter: RecordFilter, format: 'csv' | 'jsonl'): Promise<void> {
    let { items, next } = await records.page(filter, EXPORT_PAGE, undefined, true)
    res.attachment(`records.${format}`).type(format === 'csv' ? 'text/csv; charset=utf-8' : 'application/jsonl; charset=utf-8')
    if (format === 'csv') res.write(csvHead)
    for (;;) {
      const text = items.map((row) => (format === 'csv' ? csvLine(row) : `${JSON.stringify(row)}\n`)).join('')
      if (text !== '' && !res.write(text) && !res.destroyed) {
        await new Promise<void>((done) => {
          res.once('drain', done)
          res.once('close', done)
        })
      }
      if (!next || res.destroyed) break
      ;({ items, next } = await records.page(filter, EXPORT_PAGE, next, true))
    }
    res.end()
  }

  router.get('/api/v1/records/:answerId', requireAdmin, async (req, res) => {
    res.json(await find(parse({ params: Id }, req).params.answerId))
  })

  router.post('/api/v1/records/:answerId/replay', requireAdmin, async (req, res) => {
    const { params, body } = parse({ params: Id, body: ReplayBody }, req)
    const before = await find(params.answerId)
    await refuseUnknownNames(deps, body.settings, req, 'body.settings')
    const now = await deps.settings.current()
    const persona = body.persona ?? body.settings.persona ?? before.record.persona ?? now.settings.persona
    const after = await rehearsals.run(
      {
        question: before.question,
        persona,
        settings: now.settings,
        changes: { ...before.record.asked, ...body.settings },
        filters: before.record.filters,
        turns: before.record.turns ?? (await records.turnsBefore(params.answerId, 20)),
        collections: before.record.collections,
        groups: before.record.groups,
        summary: before.record.history?.summary,
      },
      req,
      res,
    )
    if (!after) return
    res.json({
      original: {
        answerId: before.answerId,
        text: before.text,
        settingsVersion: before.settingsVersion,
        settings: before.record.settings,
        sources: before.record.sources ?? [],
        answerable: before.record.answerable ?? null,
        model: before.record.model ?? '',
        usage: before.record.usage ?? null,
        timings: before.record.timings ?? {},
        degraded: before.record.degraded ?? [],
      },
      replay: { ...after, basedOn: now.version },
      diff: {
        sources: diffSources(before.record.sources ?? [], after.sources),
        text: diffText(before.text, after.text),
        // whether answers are cached says nothing of how they come: one made anew does without, whatever is set
        settings: changesBetween(StoredSettings.parse(before.record.settings ?? {}), after.settings).filter(
          ({ name }) => name !== 'cacheAnswers',
        ),
      },
    })
  })

  async function find(answerId: string) {
    const record = await records.find(answerId)
    if (!record) throw new AppError('not_found', 'There is no such record.')
    return record
  }
  return router
}
