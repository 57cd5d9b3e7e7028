import type { Passage, SearchResponse } from '@docent/core/passage'
import { createListwiseReranker } from '@docent/models/listwise-reranker'
import type { UsageStore } from '../store/usage.ts'
import { askAside } from './ask-aside.ts'
import { contextOf } from './candidates.ts'
import type { Job } from './job.ts'
import { inOne, type Wanted } from './search.ts'
import type { StepDeps } from './steps.ts'

/** as many passages are put to the model */
export const RERANK_TOP = 20
const LIMIT_MS = 8_000

type Deps = Pick<StepDeps, 'providers' | 'events'> & { pool: Parameters<UsageStore['settle']>[0]; usage: UsageStore }

/** The found passages in the order of the language model; in their first order, and said to be so, when it fails or takes too long. */
export async function rerankByModel(
  job: Job,
  { providers, pool, usage, events }: Deps,
  found: SearchResponse,
  wanted: Wanted,
): Promise<SearchResponse> {
  const top = found.passages.slice(0, RERANK_TOP)
  if (top.length < 2) return found
  const [first] = providers
  if (!first) return without(found)
  const signal = AbortSignal.any([job.abort.signal, AbortSignal.timeout(LIMIT_MS)])
  const reranker = createListwiseReranker(first.model, (request, limit) =>
    askAside({ job, providers, pool, usage, events }, request, limit),
  )
  try {
    const texts = top.map(titled)
    const scores = await reranker.rerank(inOne(wanted), texts, signal)
    const ordered = top
      .map((passage, i) => ({ ...passage, score: scores[i]!, scores: { ...passage.scores, rerank: scores[i]! } }))
      .sort((a, b) => b.score - a.score)
    return { ...found, passages: [...ordered, ...found.passages.slice(RERANK_TOP)] }
  } catch (error) {
    job.abort.signal.throwIfAborted()
    events.stepFailed(job.answerId, 'rerank', error)
    return without(found)
  }
}

/** Under the headings over it, each once: the path of headings begins with the title as a rule, and the text with the last of them. */
function titled(passage: Passage): string {
  const over = contextOf(passage)
  const last = over.split(' › ').at(-1)!
  return `${passage.text.startsWith(last) ? over.slice(0, -last.length).replace(/ › $/, '') : over}\n${passage.text}`.trim()
}

function without(found: SearchResponse): SearchResponse {
  return { ...found, degraded: [...found.degraded, 'rerank'] }
}
