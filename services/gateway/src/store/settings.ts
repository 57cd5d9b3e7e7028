import { isDeepStrictEqual } from 'node:util'
import { Chunking } from '@docent/core/chunking'
import { AppError } from '@docent/core/errors'
import { Tuning } from '@docent/core/passage'
import { isStorable } from '@docent/core/text/storable'
import { databaseError, inTransaction, type Pool } from '@docent/kit/postgres'
import { z } from 'zod'
import { createFresh } from './fresh.ts'

const Price = z.strictObject({
  input: z.number().min(0).max(1_000_000),
  output: z.number().min(0).max(1_000_000),
  currency: z.string().regex(/^[A-Z]{3}$/, 'is a code of three letters, like USD'),
})

export const Shadow = z
  .strictObject({
    percent: z.number().min(0).max(100).meta({ description: 'Share of the questions that are searched once more with it' }),
    retrieval: Tuning.optional(),
    gate: z.number().min(0.25).max(4).optional(),
    rerank: z.boolean().optional(),
    generation: z.int().min(1).max(2_000_000_000).optional().meta({ description: 'Of the index; see GET /api/v1/generations' }),
  })
  .refine((shadow) => Object.keys(shadow).length > 1, 'names nothing that is tried: retrieval, gate, rerank or generation')
  .meta({ id: 'Shadow' })
export type Shadow = z.infer<typeof Shadow>

const toolNames = ['search', 'calculator', 'date'] as const
export type ToolName = (typeof toolNames)[number]

export const Settings = z
  .strictObject({
    topK: z
      .number()
      .int()
      .min(1)
      .max(10)
      .default(3)
      .meta({ description: 'Sources shown and given to the model; more while they are short' }),
    searchLimit: z.number().int().min(1).max(50).default(8).meta({ description: 'Passages searched' }),
    gate: z
      .number()
      .min(0.25)
      .max(4)
      .default(1)
      .meta({ description: 'The threshold of “answerable” is multiplied by it: above 1 less is answered, below 1 more' }),
    rerank: z.boolean().default(false).meta({ description: 'Order the best candidates once more, by `rerankBy`' }),
    rerankBy: z.enum(['reranker', 'model']).default('reranker').meta({
      description: 'The reranker of the embedder, where one is set, or the language model: 20 passages in one request of its own',
    }),
    retrieval: Tuning.default({}).meta({ description: 'Weights and thresholds of the search; what is left out stays as it was tuned' }),
    shadow: Shadow.nullable().default(null).meta({
      description: 'Another configuration of the search, tried on some questions after their answers; what it leaves out is as above',
    }),
    rewrite: z.boolean().default(true).meta({ description: 'A follow-up is searched together with the question before it' }),
    queries: z.enum(['off', 'rewrite', 'several']).default('off').meta({
      description:
        'What the model makes of a question before it is searched: `rewrite` one that is understood without the conversation, `several` up to two other wordings, too, one in the other language; searched beside the question itself. One request of its own, 4 s at most; without a model nothing changes',
    }),
    prompt: z.string().max(8_000).refine(isStorable, 'cannot be stored').default('').meta({ description: 'Rules added to every persona' }),
    model: z
      .string()
      .min(1)
      .max(200)
      .nullable()
      .default(null)
      .meta({ description: 'Name of the provider that is asked first; null keeps the configured order' }),
    prices: z
      .record(z.string().min(1).max(200), Price)
      .default({})
      .meta({ description: 'Price of a million tokens by name of provider; where none stands here the configured one counts' }),
    temperature: z.number().min(0).max(2).default(0.7),
    maxTokens: z.number().int().min(16).max(32_000).default(1_024),
    historyTokens: z.number().int().min(0).max(32_000).default(1_500),
    persona: z.string().min(1).max(64).default('neutral'),
    summaries: z.boolean().default(true).meta({ description: 'The model sums up what no longer fits into historyTokens' }),
    tools: z
      .array(z.enum(toolNames))
      .max(toolNames.length)
      // a set: in another order it is no other setting
      .overwrite((chosen) => toolNames.filter((name) => chosen.includes(name)))
      .default([...toolNames])
      .meta({ description: 'What the model may call before it answers, where TOOLS_ENABLED allows it' }),
    cacheAnswers: z.boolean().default(true),
    savedAnswers: z.boolean().default(true).meta({ description: 'Approved answers are given before anything is searched' }),
    chunking: Chunking.nullable().default(null).meta({
      description:
        'How documents are cut, in characters: a folder may say otherwise, null is what the configuration says. A change indexes what it concerns anew; `?dryRun=true` tells what that costs',
    }),
  })
  .meta({ id: 'Settings' })
export type Settings = z.infer<typeof Settings>

const shape = Settings.shape
/** A patch has no defaults: what is not named stays as it is. Unknown names are refused. */
export const SettingsPatch = z
  .strictObject({
    topK: shape.topK.unwrap().optional(),
    searchLimit: shape.searchLimit.unwrap().optional(),
    gate: shape.gate.unwrap().optional(),
    rerank: shape.rerank.unwrap().optional(),
    rerankBy: shape.rerankBy.unwrap().optional(),
    retrieval: shape.retrieval.unwrap().optional(),
    shadow: shape.shadow.unwrap().optional(),
    rewrite: shape.rewrite.unwrap().optional(),
    queries: shape.queries.unwrap().optional(),
    prompt: shape.prompt.unwrap().optional(),
    model: shape.model.unwrap().optional(),
    prices: shape.prices.unwrap().optional(),
    temperature: shape.temperature.unwrap().optional(),
    maxTokens: shape.maxTokens.unwrap().optional(),
    historyTokens: shape.historyTokens.unwrap().optional(),
    persona: shape.persona.unwrap().optional(),
    summaries: shape.summaries.unwrap().optional(),
    tools: shape.tools.unwrap().optional(),
    cacheAnswers: shape.cacheAnswers.unwrap().optional(),
    savedAnswers: shape.savedAnswers.unwrap().optional(),
    chunking: shape.chunking.unwrap().optional(),
  })
  .meta({ id: 'SettingsPatch' })
export type SettingsPatch = z.infer<typeof SettingsPatch>
/** What one question may be tried with: the documents are cut already. */
export const TriedSettings = SettingsPatch.omit({ chunking: true }).meta({ id: 'TriedSettings' })
/** What a persona may change: not which persona speaks nor what a model costs, and its prompt is its own already. */
export const PersonaSettings = TriedSettings.omit({ persona: true, prompt: true, prices: true, shadow: true }).meta({
  id: 'PersonaSettings',
})
export type PersonaSettings = z.infer<typeof PersonaSettings>

export type CurrentSettings = { version: number; settings: Settings }
export type SettingsVersion = CurrentSettings & { author: string; note: string; createdAt: Date }
export type SettingChange = { name: string; from: unknown; to: unknown }
export type SettingsStore = ReturnType<typeof createSettings>

const FRESH_MS = 2_000
// a row of another release may hold names this one does not know, also among those of the search: they are left aside, and the history
// shows what holds instead; an error would be one of every question
export const StoredSettings = z.object({
  ...shape,
  retrieval: shape.retrieval.catch({}),
  shadow: shape.shadow.catch(null),
  chunking: shape.chunking.catch(null),
})

/** What the owner tunes: each change is a new row, each record names the row it ran with. */
export function createSettings(pool: Pool) {
  const fresh = createFresh(async () => {
    try {
      return await latest(pool)
    } catch (error) {
      throw databaseError(error)
    }
  }, FRESH_MS)

  /** Writers wait for each other, so that no change is lost; `ifVersion` refuses one made upon another version. */
  async function write(
    next: (now: CurrentSettings) => Settings,
    options: { author: string; note?: string | undefined; ifVersion?: number | undefined },
  ): Promise<CurrentSettings> {
    try {
      return await inTransaction(pool, async (client) => {
        await client.query(`SELECT pg_advisory_xact_lock(hashtext('docent:setting'))`)
        const now = await latest(client)
        refuseOther(now.version, options.ifVersion)
        const settings = Settings.parse(next(now))
        // a version says what was changed
        if (changesBetween(now.settings, settings).length === 0) return now
        const { rows } = await client.query<{ version: number }>(
          'INSERT INTO setting (body, author, note) VALUES ($1, $2, $3) RETURNING version',
          [JSON.stringify(settings), options.author, options.note ?? ''],
        )
        return { version: rows[0]!.version, settings }
      })
    } catch (error) {
      throw databaseError(error)
    } finally {
      fresh.forget()
    }
  }

  async function version(number: number): Promise<SettingsVersion | undefined> {
    try {
      const { rows } = await pool.query<Row>(`SELECT ${view} FROM setting WHERE version = $1`, [number])
      return rows[0] && viewOf(rows[0])
    } catch (error) {
      throw databaseError(error)
    }
  }

  return {
    current: fresh.get,
    version,
    change: (patch: SettingsPatch, options: { author: string; note?: string | undefined; ifVersion?: number | undefined }) =>
      write(({ settings }) => Settings.parse({ ...settings, ...named(patch) }), options),
    /** Writes an old version's settings as the newest one; undefined when there is no such version. */
    async rollback(to: number, options: { author: string; ifVersion?: number | undefined }): Promise<CurrentSettings | undefined> {
      const old = await version(to)
      return old && write(() => old.settings, { ...options, note: `rollback to ${to}` })
    },
    /** Newest first, each with what it changed against the one before. */
    async history(limit: number, before: number | undefined): Promise<(SettingsVersion & { changes: SettingChange[] })[]> {
      try {
        const { rows } = await pool.query<Row>(
          `SELECT ${view} FROM setting WHERE ($1::int IS NULL OR version < $1) ORDER BY version DESC LIMIT $2`,
          [before ?? null, limit + 1],
        )
        const versions = rows.map(viewOf)
        return versions
          .slice(0, limit)
          .map((entry, i) => ({ ...entry, changes: changesBetween(versions[i + 1]?.settings ?? StoredSettings.parse({}), entry.settings) }))
      } catch (error) {
        throw databaseError(error)
      }
    },
  }
}

/** A change made upon another version than the latest. Errors: precondition_failed. */
export function refuseOther(version: number, ifVersion: number | undefined): void {
  if (ifVersion !== undefined && ifVersion !== version)
    throw new AppError('precondition_failed', `The settings are at version ${version} by now; read them again.`)
}

/** The names whose values differ. */
export function changesBetween(from: Settings, to: Settings): SettingChange[] {
  return (Object.keys(shape) as (keyof Settings)[])
    .filter((name) => !isDeepStrictEqual(from[name], to[name]))
    .map((name) => ({ name, from: from[name], to: to[name] }))
}

/** Only what the patch names. */
export function named(patch: SettingsPatch): Partial<Settings> {
  return Object.fromEntries(Object.entries(patch).filter(([, value]) => value !== undefined))
}

type Row = { version: number; body: unknown; author: string; note: string; createdAt: Date }
const view = 'version, body, author, note, created_at AS "createdAt"'

function viewOf({ body, ...row }: Row): SettingsVersion {
  return { ...row, settings: StoredSettings.parse(body) }
}

async function latest(from: Pick<Pool, 'query'>): Promise<CurrentSettings> {
  const { rows } = await from.query<{ version: number; body: unknown }>('SELECT version, body FROM setting ORDER BY version DESC LIMIT 1')
  return { version: rows[0]?.version ?? 0, settings: StoredSettings.parse(rows[0]?.body ?? {}) }
}
