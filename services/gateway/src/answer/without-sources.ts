import { AppError } from '@docent/core/errors'
import type { ChatMessage } from '@docent/models/chat-model'
import { degrade, type Job } from './job.ts'
import { say } from './phrases.ts'
import { answerByModel, type StepDeps, showSources } from './steps.ts'

/** What a model is told that answers while nothing can be searched. */
export const withoutSourcesRules = [
  'Search in the documents is down: you have no sources. Answer from what you know by yourself, as far as you are sure of it.',
  'Claim nothing about what the documents hold, and use no numbers in square brackets.',
]

/** Whether a search failed for reasons of its own, and the persona lets a model answer then. A question that is refused as such stays refused. */
export function mayDoWithoutSources(job: Job, { providers }: Pick<StepDeps, 'providers'>, error: unknown): error is AppError {
  const isDown = error instanceof AppError && error.status >= 500 && !job.abort.signal.aborted
  return isDown && providers.length > 0 && job.persona.answersWithoutSources
}

/** Said before the first word, in the stream and in the text itself; nothing is cited and nothing cached. Errors: `down`, when no model says anything. */
export async function answerWithoutSources(job: Job, deps: StepDeps, messages: readonly ChatMessage[], down: AppError): Promise<void> {
  deps.events.stepFailed(job.answerId, 'retrieval', down)
  job.found.answerable = false
  job.found.record.withoutSources = { code: down.code, message: down.message }
  degrade(job, 'retrieval')
  showSources(job, deps, [], 'on')
  // clients that show the text alone are told, too
  const opening = `${say('withoutSources', job.tongue)}\n\n`
  if (!(await answerByModel(job, deps, messages, [], { opening }))) throw down
}
