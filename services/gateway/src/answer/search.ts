import type { SearchResponse } from '@docent/core/passage'
import { answeringFirst } from './answering-first.ts'
import { leansOn, standsAlone } from './follow-up.ts'
import type { Asked, Job } from './job.ts'
import type { StepDeps } from './steps.ts'

/** A question as it was searched: written out by the model, or as it was asked, a follow-up with the question before it. */
export type Wanted = { query: string; previous?: string }
export type Searched = { query: NonNullable<Job['found']['searched']>['query']; found: SearchResponse; ms: number }

/** For those who read one text. */
export function inOne({ query, previous }: Wanted): string {
  return previous ? `${previous}\n${query}` : query
}

/**
 * A question in a conversation may follow the one before it or begin something else. One that leans on what was said is searched with it;
 * any other both ways, and what the question says itself decides.
 */
export async function searchFor(asked: Asked, previous: string | undefined, deps: Pick<StepDeps, 'retrieval'>): Promise<Searched> {
  const alone = () => searchOnce(asked, undefined, deps)
  if (previous === undefined) return alone()
  const together = searchOnce(asked, previous, deps)
  if (leansOn(asked.question)) return together
  const both = await Promise.all([together, alone()])
  return standsAlone({ query: asked.question, previous }, both[0].found, both[1].found) ? both[1] : both[0]
}

async function searchOnce(asked: Asked, previous: string | undefined, { retrieval }: Pick<StepDeps, 'retrieval'>): Promise<Searched> {
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
  const passages = answeringFirst(asked.question, found.passages)
  return { query, found: { ...found, passages }, ms: Math.round(performance.now() - started) }
}
