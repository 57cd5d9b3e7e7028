import { createHash } from 'node:crypto'
import type { Principal } from '@docent/core/principal'
import type { RetrievalClient } from '../clients/retrieval-client.ts'
import type { Events } from '../events.ts'
import type { Records } from '../store/records.ts'
import type { Settings, Shadow } from '../store/settings.ts'
import { compareSearches } from './compare-searches.ts'
import type { Job } from './job.ts'
import { searchWishes } from './tune.ts'

type Deps = { retrieval: Pick<RetrievalClient, 'search'>; records: Pick<Records, 'noteShadow'>; events: Events }

const AT_ONCE = 2
const LIMIT_MS = 10_000

/** Searches a share of the questions once more with the settings' shadow, when their answers have ended. Nothing waits for it. */
export function createShadows({ retrieval, records, events }: Deps, random = Math.random) {
  const running = new Set<Promise<void>>()
  const stop = new AbortController()

  async function compare({ answerId, found, principal, requestId, traceId, settings }: Job, shadow: Shadow): Promise<void> {
    const { query, response } = found.searched!
    const started = performance.now()
    try {
      const wishes = {
        ...searchWishes(shadowed(settings.settings, shadow)),
        ...(shadow.generation ? { generation: shadow.generation } : {}),
      }
      const limit = AbortSignal.any([stop.signal, AbortSignal.timeout(LIMIT_MS)])
      const other = await retrieval.search(
        { ...query, explain: false, ...wishes },
        shadow.generation ? mayNameGeneration(principal) : principal,
        { requestId, traceId },
        limit,
      )
      const compared = compareSearches(response.passages, other.passages)
      const { degraded, tookMs, configVersion, generation, answerable } = other
      const outcome = degraded.length > 0 ? 'degraded' : 'done'
      events.shadowed(outcome, compared, { served: response.tookMs, shadow: tookMs })
      const note = {
        key: shadowKey(shadow),
        outcome,
        configVersion,
        generation,
        answerable,
        servedMs: response.tookMs,
        tookMs,
        degraded,
        ...compared,
      }
      await records.noteShadow(answerId, note)
    } catch (error) {
      if (stop.signal.aborted) return
      events.shadowFailed(answerId, error, performance.now() - started)
    }
  }

  return {
    after(job: Job): void {
      const { shadow } = job.settings.settings
      if (!shadow || !job.found.searched || stop.signal.aborted || random() * 100 >= shadow.percent) return
      if (running.size < AT_ONCE) {
        const mine = compare(job, shadow).finally(() => running.delete(mine))
        running.add(mine)
      } else events.shadowDropped()
    },
    async close(): Promise<void> {
      stop.abort()
      await Promise.all(running)
    },
  }
}

/** The settings with the shadow's search in place of theirs. */
export function shadowed(settings: Settings, { gate, rerank, retrieval }: Omit<Shadow, 'percent'>): Settings {
  return {
    ...settings,
    gate: gate ?? settings.gate,
    rerank: rerank ?? settings.rerank,
    retrieval: retrieval ?? settings.retrieval,
  }
}

/** Names what is tried, whatever share of the questions it is tried on. Settings come parsed: their names stand in one order. */
export function shadowKey({ percent: _, ...tried }: Shadow): string {
  return createHash('sha256').update(JSON.stringify(tried)).digest('hex').slice(0, 12)
}

/** The owner chose the generation by the settings; what the asker may read stays as it is. */
function mayNameGeneration(principal: Principal): Principal {
  return { ...principal, scopes: [...new Set([...principal.scopes, 'admin' as const])] }
}
