import type { Messages } from '../store/messages.ts'
import { followed } from './follow-up.ts'
import type { Job } from './job.ts'
import { fitting, type Turn } from './prompt.ts'
import { smallTalkOf } from './small-talk.ts'
import { estimateTokens } from './tokens.ts'

const MESSAGES = 200
const MAX_PREVIOUS = 4_000

export type Before = { history: Turn[]; previous: string | undefined; summary: string | undefined }

/** What came before: turns for the model, and the last question, with which retrieval understands “and for the other one?”. */
export async function condense(messages: Messages, job: Job): Promise<Before> {
  if (job.turns) return noted(job, { history: job.turns, previous: rewritten(job, job.turns), summary: job.summary })
  if (!job.isFollowUp) return { history: [], previous: undefined, summary: undefined }
  const { turns, summary } = await messages.unsummarised(job.conversationId, job.answerId, MESSAGES)
  // the question itself is committed already, and last
  const own = turns.findLastIndex((turn) => turn.role === 'question' && turn.text === job.question)
  const history = own < 0 ? turns : turns.filter((_, i) => i !== own)
  return noted(job, { history, previous: rewritten(job, history), summary })
}

/** The record says what of the conversation the model was shown, word by word or summarised, and what was left out. */
function noted(job: Job, before: Before): Before {
  const kept = fitting(before.history, historyRoom(job.settings.settings.historyTokens, before.summary)).length
  if (before.history.length > 0 || before.summary)
    job.found.record.history = {
      messages: before.history.length,
      kept,
      dropped: before.history.length - kept,
      ...(before.summary ? { summary: before.summary } : {}),
    }
  return before
}

/** What a summary leaves of the budget to the turns themselves. */
export function historyRoom(historyTokens: number, summary: string | undefined): number {
  return summary ? Math.max(0, historyTokens - estimateTokens(summary)) : historyTokens
}

function rewritten(job: Job, turns: readonly Turn[]): string | undefined {
  return job.settings.settings.rewrite ? lastQuestion(turns, job.question) : undefined
}

function lastQuestion(turns: readonly Turn[], question: string): string | undefined {
  const asked = turns.filter((turn) => isAsked(turn) && turn.text !== question).map(({ text }) => text)
  return followed(asked)?.slice(-MAX_PREVIOUS)
}

/** “Thanks” between two questions is not what the second one follows. */
function isAsked({ role, text }: Turn): boolean {
  return role === 'question' && text.trim() !== '' && !smallTalkOf(text)
}
