import type { SearchResponse } from '@docent/core/passage'
import type { Asked, Job } from './job.ts'
import type { StepDeps } from './steps.ts'

export type Searched = { query: NonNullable<Job['found']['searched']>['query']; found: SearchResponse; ms: number }

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
