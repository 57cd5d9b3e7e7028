import type { SearchResponse } from '@docent/core/passage'
import type { Asked, Job } from './job.ts'
import type { StepDeps } from './steps.ts'

/** A question as it was searched: written out by the model, or as it was asked, a follow-up with the question before it. */
export type Wanted = { query: string; previous?: string }
export type Searched = { query: NonNullable<Job['found']['searched']>['query']; found: SearchResponse; ms: number }

/** For those who read one text. */
export function inOne({ query, previous }: Wanted): string {
  return previous ? `${previous}\n${query}` : query
}

export async function searchFor(asked: Asked, previous: string | undefined, { retrieval }: Pick<StepDeps, 'retrieval'>): Promise<Searched> {
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
