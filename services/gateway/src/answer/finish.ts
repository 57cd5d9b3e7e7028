import { setTimeout as wait } from 'node:timers/promises'
import type { Answer } from '@docent/core/answer-event'
import { faultPoint } from '@docent/kit/fault-point'
import type { Ending } from '../store/endings.ts'
import type { AnswerBody } from '../store/messages.ts'
import type { AnswerDeps } from './answer.ts'
import { answerOf, degrade, type endOf, type Job } from './job.ts'
import { flightRecord } from './record.ts'
import { countWhatWasSent } from './steps.ts'

type End = ReturnType<typeof endOf>
/** What the process keeps of its answers. */
type Memory = { remember(answer: Answer): void; forget(answerId: string): void; isClosing(): boolean }

const SAVE_WAIT_MS = 2_000

/** Citations, usage, the stored answer, then the one final event. */
export async function finish(job: Job, end: End, memory: Memory, deps: AnswerDeps): Promise<void> {
  const { found, stream } = job
  // stored, journalled and booked by whoever ended it
  if (stream.fenced) return
  if (end.state !== 'done') countWhatWasSent(job)
  // whoever took this process for dead has ended the journal: a write to it tells, before anything is stored
  const isTold = await stream.flushed()
  if (stream.journalLost) degrade(job, 'resume')
  for (const citation of found.citations) stream.push({ type: 'citation', data: citation })
  stream.push({ type: 'usage', data: found.usage })
  // else they leave with the end, unless that is late
  if (!isTold) await stream.flushed()
  if (stream.fenced) return

  const data = { state: end.state, ...(end.code ? { code: end.code } : {}), ...(end.message ? { message: end.message } : {}) }
  const log = [...stream.log, [end.state, JSON.stringify(data)] as [string, string]]
  const answer = answerOf(job, end)
  memory.remember(answer)
  const saved = save(job, end, log, answer, memory, deps)
  // reading back right after the end must find it; a database that is down must not hold the end up
  await settledWithin(SAVE_WAIT_MS, saved)
  faultPoint('S6')
  stream.push({ type: end.state, data } as Parameters<typeof stream.push>[0])
  stream.ended = true
  await stream.flushed()
  const ms = Math.round(performance.now() - job.startedAt)
  if (found.usage.inputTokens > 0) deps.events.tokensUsed(found.usage.inputTokens, found.usage.outputTokens)
  if (stream.firstTextAt !== undefined) deps.events.firstText(stream.firstTextAt - job.startedAt)
  deps.events.answerEnded({
    answerId: job.answerId,
    outcome: end.state,
    ...(end.code ? { code: end.code } : {}),
    ms,
    model: found.model,
    degraded: found.degraded,
    answerable: found.answerable,
    settingsVersion: job.settings.version,
  })
  await saved
}

/** Resolves when `work` is done, or late: nothing of it is kept longer than that. */
async function settledWithin(ms: number, work: Promise<void>): Promise<void> {
  const late = Promise.withResolvers<void>()
  const timer = setTimeout(late.resolve, ms).unref()
  try {
    await Promise.race([work, late.promise])
  } finally {
    clearTimeout(timer)
  }
}

/** Message, record and usage in one transaction, again and again until the database takes it or the process ends. */
async function save(job: Job, end: End, log: AnswerBody['log'], answer: Answer, memory: Memory, deps: AnswerDeps): Promise<void> {
  const { found, stream } = job
  const { sources, citations, degraded, usage, model, answerable } = answer
  const body: AnswerBody = {
    sources,
    citations,
    degraded,
    usage,
    model,
    answerable,
    ...(answer.warnings ? { warnings: answer.warnings } : {}),
    ...(answer.approved ? { approved: answer.approved } : {}),
    traceId: job.traceId,
    persona: job.persona.id,
    question: job.question,
    questionId: job.questionId,
    ...(log ? { log } : {}),
  }
  const record = flightRecord(job, end)
  await Promise.all(found.pending)
  const ending: Ending = {
    answerId: job.answerId,
    text: stream.text,
    state: end.state,
    ...(end.code ? { code: end.code } : {}),
    ...(end.message ? { message: end.message } : {}),
    lastEvent: log?.length ?? 0,
    body,
    traceId: job.traceId,
    principal: job.principal.id,
    question: job.question,
    settingsVersion: job.settings.version,
    record,
    ...(found.unstored ? { unstored: found.unstored } : {}),
    booking: {
      reservation: job.reservation,
      requests: 1,
      input: usage.inputTokens,
      output: usage.outputTokens,
      money: usage.cost ?? 0,
    },
  }
  for (let attempt = 0; ; attempt++) {
    try {
      // deleted in the meantime: then it is not remembered either
      if (!(await deps.endings.save(ending))) memory.forget(job.answerId)
      return
    } catch (error) {
      deps.writes.note(error)
      if (attempt === 0) deps.events.stepFailed(job.answerId, 'save', error)
      if (memory.isClosing() && attempt > 1) throw error
      await wait(Math.min(5_000, 500 * 2 ** attempt))
    }
  }
}
