import type { Messages } from '../store/messages.ts'
import type { Job } from './job.ts'
import type { Turn } from './prompt.ts'

const TURNS = 10

/** What came before: turns for the model, and the last question, with which retrieval understands “and for the other one?”. */
export async function condense(messages: Messages, job: Job): Promise<{ history: Turn[]; previous: string | undefined }> {
  if (job.turns) return { history: job.turns, previous: rewritten(job, job.turns) }
  if (!job.isFollowUp) return { history: [], previous: undefined }
  const turns = await messages.history(job.conversationId, job.answerId, TURNS)
  // the question itself is committed already, and last
  const own = turns.findLastIndex((turn) => turn.role === 'question' && turn.text === job.question)
  const history = own < 0 ? turns : turns.filter((_, i) => i !== own)
  return { history, previous: rewritten(job, history) }
}

function rewritten(job: Job, turns: readonly Turn[]): string | undefined {
  return job.settings.settings.rewrite ? lastQuestion(turns, job.question) : undefined
}

function lastQuestion(turns: readonly Turn[], question: string): string | undefined {
  return turns.findLast((turn) => turn.role === 'question' && turn.text.trim() !== '' && turn.text !== question)?.text.slice(0, 4_000)
}
