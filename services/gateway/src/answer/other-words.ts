import type { SearchResponse } from '@docent/core/passage'
import type { UsageStore } from '../store/usage.ts'
import { askAside } from './ask-aside.ts'
import { fuseSearches } from './fuse-searches.ts'
import type { Job } from './job.ts'
import type { Turn } from './prompt.ts'
import { normalQuestion } from './same-question.ts'
import type { Searched, Wanted } from './search.ts'
import type { StepDeps } from './steps.ts'
import { readWordings, wordingRequest } from './wordings.ts'

// for the model and the searches of its wordings together: a reader waits no longer for them
const LIMIT_MS = 4_000

type Deps = Pick<StepDeps, 'providers' | 'events' | 'retrieval'> & { pool: Parameters<UsageStore['settle']>[0]; usage: UsageStore }

/**
 * `found`: what the question's own search found, and what is found for the wordings the model gives it, where the setting `queries` asks for them.
 * `wanted`: how the question is to be read after that. The own search goes on while the model is asked; it alone counts, and is said to, when the model fails or takes too long.
 */
export async function withOtherWords(
  job: Job,
  deps: Deps,
  own: Promise<Searched>,
  history: readonly Turn[],
): Promise<{ found: SearchResponse; wanted: Wanted }> {
  const { queries, searchLimit: limit, retrieval: tuning } = job.settings.settings
  if (queries === 'off' || deps.providers.length === 0) return asAsked(await own)
  const { providers, pool, usage, events, retrieval } = deps
  const began = performance.now()
  const failed = new AbortController()
  own.catch((error: unknown) => failed.abort(error)) // then nothing more is asked; heard where it is awaited
  const signal = AbortSignal.any([job.abort.signal, failed.signal, AbortSignal.timeout(LIMIT_MS)])
  try {
    const request = wordingRequest(queries, job.question, history)
    const said = readWordings(await askAside({ job, providers, pool, usage, events }, request, signal), queries)
    const modelMs = Math.round(performance.now() - began)
    const { query, found } = await own
    // filters and limit as of the question; retrieval holds each search to what its asker may read
    const again = { ...query, previous: undefined, explain: false }
    const ids = { requestId: job.requestId, traceId: job.traceId }
    const searches = unlike(query, said).map(async (wording) => ({
      wording,
      isRewritten: wording === said[0],
      found: await retrieval.search({ ...again, query: wording }, job.principal, ids, signal),
    }))
    const more = await Promise.all(searches)
    note(job, began, [{ wording: job.question, found }, ...more], modelMs)
    const others = more.filter(({ isRewritten }) => !isRewritten).map((one) => one.found)
    const rewritten = more.find(({ isRewritten }) => isRewritten)
    return {
      found: fuseSearches(found, rewritten?.found, others, { limit, perDocument: tuning.perDocument }),
      wanted: rewritten ? { query: rewritten.wording } : asAsked(await own).wanted,
    }
  } catch (error) {
    const { found } = await own
    job.abort.signal.throwIfAborted()
    events.stepFailed(job.answerId, 'rewrite', error)
    note(job, began, [{ wording: job.question, found }])
    return { ...asAsked(await own), found: { ...found, degraded: [...found.degraded, 'rewrite'] } }
  }
}

function asAsked({ query: { query, previous }, found }: Searched) {
  return { found, wanted: { query, ...(previous ? { previous } : {}) } }
}

/** Those that say something else than what was searched; a follow-up was searched together with the question before it. */
function unlike({ query, previous }: Searched['query'], wordings: readonly string[]): string[] {
  const seen = new Set(previous ? [] : [normalQuestion(query)])
  return wordings.filter((wording) => {
    const key = normalQuestion(wording)
    return !seen.has(key) && seen.add(key)
  })
}

function note(job: Job, began: number, searches: readonly { wording: string; found: SearchResponse }[], modelMs?: number): void {
  job.found.timings.queriesMs = Math.round(performance.now() - began)
  job.found.record.queries = {
    mode: job.settings.settings.queries,
    ...(modelMs === undefined ? {} : { modelMs }),
    searched: searches.map(({ wording, found: { answerable, tookMs, passages } }) => ({
      query: wording,
      answerable,
      tookMs,
      found: passages.map(({ chunkId }) => chunkId),
    })),
  }
}
