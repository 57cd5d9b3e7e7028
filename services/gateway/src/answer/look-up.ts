import type { SearchResponse } from '@docent/core/passage'
import type { SavedAnswer } from '../store/saved-answers.ts'
import type { Asked, Job } from './job.ts'
import { findApproved, type SavedDeps } from './saved.ts'
import { smallTalkOf } from './small-talk.ts'

type Searched = { query: NonNullable<Job['found']['searched']>['query']; found: SearchResponse; ms: number }
export type LookedUp = { approved?: SavedAnswer; search?: Promise<Searched> }

/** An approved answer, or else the search under way. */
export async function lookUp(asked: Asked, previous: string | undefined, deps: SavedDeps): Promise<LookedUp> {
  const approved = await findApproved(asked, deps)
  if (approved) return { approved }
  if (smallTalkOf(asked.question)) return {}
  const search = searchFor(asked, previous, deps)
  search.catch(() => undefined) // heard where it is awaited
  return { search }
}

export async function searchFor(asked: Asked, previous: string | undefined, { retrieval }: SavedDeps): Promise<Searched> {
  const started = performance.now()
  const { filters, principal, requestId, traceId } = asked
  const query = {
    query: asked.question,
    ...(previous ? { previous } : {}),
    limit: asked.settings.settings.searchLimit,
    ...(filters ? { filters } : {}),
    explain: true,
  }
  const found = await retrieval.search(query, principal, { requestId, traceId }, asked.abort.signal)
  return { query, found, ms: Math.round(performance.now() - started) }
}
