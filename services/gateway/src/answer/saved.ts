import { randomBytes } from 'node:crypto'
import type { Principal } from '@docent/core/principal'
import type { SavedAnswer, SavedAnswers, SavedSource } from '../store/saved-answers.ts'
import type { Asked, Job } from './job.ts'
import { normalQuestion } from './same-question.ts'
import { type StepDeps, tellSources } from './steps.ts'

export type SourceState = 'current' | 'changed' | 'gone' | 'hidden' | 'unknown'
export type SavedDeps = StepDeps & {
  saved: SavedAnswers
  /** what became of a document since that version of it */
  stateOf: (documentId: string, version: number, reader: Principal, signal: AbortSignal) => Promise<SourceState>
}

/**
 * By what the answer that the owner approved for this question is found. Not in a conversation, not with filters and not for a
 * key that may read some collections only: it was approved without them.
 */
export function approvableAs(
  asked: Pick<Asked, 'question' | 'settings' | 'isFollowUp' | 'turns' | 'filters' | 'principal'>,
): string | undefined {
  if (!asked.settings.settings.savedAnswers || asked.isFollowUp || asked.turns || asked.filters || asked.principal.collections)
    return undefined
  return normalQuestion(asked.question) || undefined
}

/** Gives it, once all its sources are found current. */
export async function answerAsApproved(job: Job, deps: SavedDeps, saved: SavedAnswer): Promise<boolean> {
  const states = await Promise.all(
    saved.sources.map((source) => deps.stateOf(source.documentId, source.version, job.principal, job.abort.signal)),
  )
  // approved for those who may read what it rests on
  if (states.includes('hidden')) return false
  const at = states.findIndex((state) => state === 'changed' || state === 'gone')
  if (at >= 0) {
    const why = `${saved.sources[at]!.source.path} is ${states[at]}`
    await deps.saved.setAside(saved.id, why).catch((error: unknown) => deps.events.stepFailed(job.answerId, 'saved', error))
    job.found.record.saved = { id: saved.id, aside: why }
    return false
  }
  if (states.includes('unknown')) {
    job.found.record.saved = { id: saved.id, aside: 'the state of its sources is not known now' }
    return false
  }
  job.found.record.saved = { id: saved.id }
  job.found.approved = { id: saved.id, at: saved.createdAt.toISOString() }
  job.found.model = 'approved'
  showSaved(job, deps, saved.sources)
  job.stream.delta(saved.text, 'over')
  job.found.citations = saved.citations
  return true
}

function showSaved(job: Job, deps: SavedDeps, sources: readonly SavedSource[]): void {
  const shown = sources.map(({ source, documentId, version, chunkId, text }) => ({
    source: { ...source, citationId: randomBytes(16).toString('base64url') },
    passage: { documentId, version, chunkId, text },
  }))
  tellSources(job, deps, shown, 'over')
}
