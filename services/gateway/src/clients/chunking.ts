import { setTimeout as wait } from 'node:timers/promises'
import { type Chunking, ChunkingCost, ChunkingState } from '@docent/core/chunking'
import { toAppError } from '@docent/core/errors'
import type { Principal } from '@docent/core/principal'
import { askJson, internalHeaders } from '@docent/kit/internal'
import type { Log } from '@docent/kit/logger'
import { z } from 'zod'
import type { Config } from '../config.ts'
import type { CurrentSettings, SettingsStore } from '../store/settings.ts'

/** Whether ingest cuts as these settings say: how, and how many documents are still cut otherwise; or why not yet. */
export const ChunkingView = z.union([
  ChunkingState.extend({ isInForce: z.literal(true) }),
  z.object({ isInForce: z.literal(false), problem: z.string() }),
])
export type ChunkingView = z.infer<typeof ChunkingView>
export type ChunkingDoor = ReturnType<typeof openChunkingDoor>

type Deps = { neighbours: Config['neighbours']; settings: Pick<SettingsStore, 'current'>; log: Log }

const TELL_MS = 2_000
const WEIGH_MS = 35_000
// settings are the gateway's; ingest is told of them by it, whoever changed them
const teller: Principal = { id: 'gateway', kind: 'admin', scopes: ['admin'] }

/**
 * Chunking is tuned here and done by ingest: each version of the settings is told until ingest has confirmed it, at the start, after a
 * change, and every `everyMs` while it has not. To tell one twice, or late, does no harm: ingest keeps the newest.
 */
export function openChunkingDoor({ neighbours, settings, log }: Deps, options: { everyMs: number }) {
  const { ingest, internalToken } = neighbours
  const headers = { 'content-type': 'application/json', ...internalHeaders(internalToken, teller) }
  const stop = new AbortController()
  let confirmed: number | undefined
  let isUntold = false

  function ask<T>(method: string, path: string, body: object, timeoutMs: number, read: (answer: unknown) => T): Promise<T> {
    return askJson(`${ingest}${path}`, { method, headers, timeoutMs, signal: stop.signal, body: JSON.stringify(body) }, read)
  }

  async function tell({ version, settings: { chunking } }: CurrentSettings): Promise<ChunkingView> {
    try {
      const order = { settingsVersion: version, chunking }
      const state = await ask('PUT', '/chunking', order, TELL_MS, (answer) => ChunkingState.parse(answer))
      confirmed = version
      if (isUntold) log.info({ settingsVersion: version }, 'ingest knows the chunking of the settings')
      isUntold = false
      if (state.settingsVersion === version) return { ...state, isInForce: true }
      return { isInForce: false, problem: `Documents are cut as version ${state.settingsVersion} of the settings says, which is newer.` }
    } catch (error) {
      if (!isUntold)
        log.warn({ err: error, settingsVersion: version }, 'ingest was not told the chunking of the settings; it is tried again')
      isUntold = true
      return { isInForce: false, problem: `Ingest was not told yet, and is as soon as it answers: ${toAppError(error).message}` }
    }
  }

  const telling = (async () => {
    while (!stop.signal.aborted) {
      const now = await settings.current().catch(() => undefined) // without the database there is nothing to tell
      if (now && now.version !== confirmed) await tell(now)
      await wait(options.everyMs, undefined, { signal: stop.signal }).catch(() => undefined)
    }
  })()

  return {
    tell,
    /** What following it would cost. Errors: those of ingest, unavailable. */
    weigh: (chunking: Chunking | null) => ask('POST', '/chunking/estimate', { chunking }, WEIGH_MS, (answer) => ChunkingCost.parse(answer)),
    async [Symbol.asyncDispose]() {
      stop.abort()
      await telling
    },
  }
}
