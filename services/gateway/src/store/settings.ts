import { databaseError, type Pool } from '@docent/kit/postgres'
import { z } from 'zod'

export const Settings = z
  .strictObject({
    topK: z.number().int().min(1).max(10).default(3).meta({ description: 'Sources shown and given to the model' }),
    searchLimit: z.number().int().min(1).max(50).default(8).meta({ description: 'Passages searched' }),
    temperature: z.number().min(0).max(2).default(0.7),
    maxTokens: z.number().int().min(16).max(32_000).default(1_024),
    historyTokens: z.number().int().min(0).max(32_000).default(1_500),
    persona: z.string().min(1).max(64).default('neutral'),
    cacheAnswers: z.boolean().default(true),
  })
  .meta({ id: 'Settings' })
export type Settings = z.infer<typeof Settings>
export type CurrentSettings = { version: number; settings: Settings }
export type SettingsStore = ReturnType<typeof createSettings>

const FRESH_MS = 2_000

/** What the owner tunes: each change is a new row, each record names the row it ran with. */
export function createSettings(pool: Pool) {
  let cached: { at: number; value: CurrentSettings } | undefined

  async function current(): Promise<CurrentSettings> {
    if (cached && performance.now() - cached.at < FRESH_MS) return cached.value
    try {
      const { rows } = await pool.query<{ version: number; body: unknown }>(
        'SELECT version, body FROM setting ORDER BY version DESC LIMIT 1',
      )
      const value = { version: rows[0]?.version ?? 0, settings: Settings.parse(rows[0]?.body ?? {}) }
      cached = { at: performance.now(), value }
      return value
    } catch (error) {
      throw databaseError(error)
    }
  }

  return {
    current,
    async change(patch: Partial<Settings>, author: string): Promise<CurrentSettings> {
      cached = undefined
      const { settings } = await current()
      const next = Settings.parse({ ...settings, ...patch })
      const { rows } = await pool.query<{ version: number }>('INSERT INTO setting (body, author) VALUES ($1, $2) RETURNING version', [
        JSON.stringify(next),
        author,
      ])
      cached = undefined
      return { version: rows[0]!.version, settings: next }
    },
  }
}
