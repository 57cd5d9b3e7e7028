import { randomUUID } from 'node:crypto'
import { setTimeout as wait } from 'node:timers/promises'
import type { Answer } from '@docent/core/answer-event'
import { AppError } from '@docent/core/errors'
import type { Principal } from '@docent/core/principal'
import { faultPoint } from '@docent/kit/fault-point'
import type { Pool } from '@docent/kit/postgres'
import type { Admission } from '../guard/admission.ts'
import type { Attachments } from '../store/attachments.ts'
import type { Beginnings } from '../store/beginnings.ts'
import type { Endings } from '../store/endings.ts'
import type { Memories } from '../store/memories.ts'
import type { Messages } from '../store/messages.ts'
import type { Personas } from '../store/personas.ts'
import type { Records } from '../store/records.ts'
import { named, type SettingsStore } from '../store/settings.ts'
import type { BudgetShare, Reservation, UsageStore } from '../store/usage.ts'
import type { Writes } from '../store/writes.ts'
import type { StreamLog } from '../stream/stream-log.ts'
import { lookAhead } from './cached.ts'
import { emotionOf } from './emotion.ts'
import { finish } from './finish.ts'
import { type Asked, answerOf, CutShort, emptyFound, endOf, type Job, type Leaving, leaving } from './job.ts'
import { type Tongue, tongueOf } from './phrases.ts'
import type { Turn } from './prompt.ts'
import { createRemembering, MEMORY_TOKENS } from './remember.ts'
import { approvableAs, type SavedDeps } from './saved.ts'
import { searchFor } from './search.ts'
import { createShadows } from './shadow.ts'
import { smallTalkOf } from './small-talk.ts'
import { createSummaries } from './summarise.ts'
import { reservationOf, settingsOf, tuned, within, withRules } from './tune.ts'
import { type WritingAids, writeAnswer } from './write.ts'

export type Ask = {
  question: string
  conversationId?: string | undefined
  persona?: string | undefined
  filters?: Record<string, unknown> | undefined
  /** in place of the setting */
  rerank?: boolean | undefined
  onDisconnect?: Leaving | undefined
  idempotency?: { key: string; bodyHash: string } | undefined
  /** regenerate: the question row that is answered again */
  questionId?: string
  /** what came before, for callers that keep the conversation themselves */
  turns?: Turn[]
}
/** `wanted`: the language that his program asks for */
export type Asker = { principal: Principal; requestId: string; traceId: string; wanted?: Tongue | undefined }
type Begun = { answerId: string; conversationId: string; isNew: boolean }
export type Answers = ReturnType<typeof createAnswers>
export type AnswerDeps = SavedDeps & {
  pool: Pool
  messages: Messages
  beginnings: Beginnings
  endings: Endings
  records: Pick<Records, 'noteShadow'>
  usage: UsageStore
  writes: Pick<Writes, 'note'>
  settings: SettingsStore
  personas: Personas
  streams: StreamLog
  admission: Admission
  owner: string
  ragEnabled: boolean
  attachments: Attachments
  memories: Memories
  memoryEnabled: boolean
  toolsEnabled: boolean
  emotionEnabled: boolean
  /** what the reader is told of budgets that are nearly used up */
  budgetNotices: (shares: BudgetShare[], tongue: Tongue) => { code: string; message: string }[]
}

const RECENT = 200

/** Answers: begun by committing the question, then written apart from whoever reads them. */
export function createAnswers(deps: AnswerDeps) {
  const running = new Map<string, { job: Job; done: Promise<void> }>()
  const recent = new Map<string, Answer>()
  const summaries = createSummaries(deps)
  const shadows = createShadows(deps)
  const feel = (question: string) => (deps.emotionEnabled ? emotionOf(question) : undefined)
  const remembering = createRemembering(deps)
  const aids: WritingAids = { recall: remembering.recall, refusing: new Set() }
  let closing = false

  async function begin(ask: Ask, asker: Asker): Promise<Begun> {
    if (closing) throw leaving()
    const { principal } = asker
    if (ask.idempotency) {
      const seen = await deps.beginnings.seen(principal.id, ask.idempotency)
      if (seen) return attach(seen)
    }
    const leave = await deps.admission.enter()
    try {
      if (closing) throw leaving()
      const begun = await commit(ask, asker, leave)
      if (!begun.isNew) leave()
      return begun
    } catch (error) {
      leave()
      throw error
    }
  }

  /** Reserves, commits the question and lets its answer run; `leave` is called when that has ended. */
  async function commit(ask: Ask, asker: Asker, leave: () => void): Promise<Begun> {
    const { principal } = asker
    const [all] = await Promise.all([deps.settings.current(), deps.personas.list()])
    const persona = await deps.personas.find(ask.persona ?? all.settings.persona)
    if (!persona) throw new AppError('not_found', `There is no persona "${ask.persona ?? all.settings.persona}"; see /api/v1/personas.`)
    // who has a question answered anew does not want what was said before
    const anew = ask.questionId === undefined ? {} : { cacheAnswers: false }
    const current = { version: all.version, settings: { ...settingsOf(persona, all.settings), ...named({ rerank: ask.rerank }), ...anew } }
    const reader = within(principal, persona)
    const flags = { memoryTokens: deps.memoryEnabled ? MEMORY_TOKENS : 0, tools: deps.toolsEnabled }
    const reservation = reservationOf({ settings: current.settings, persona, principal: principal.id, ...flags }, deps.providers)

    const startedAt = performance.now()
    const answerId = randomUUID()
    const conversationId = ask.conversationId ?? randomUUID()
    const questionId = ask.questionId ?? randomUUID()
    const question: Asked = {
      answerId,
      question: ask.question,
      settings: current,
      filters: ask.filters,
      rerank: ask.rerank,
      isFollowUp: ask.conversationId !== undefined,
      turns: ask.turns,
      tongue: tongueOf(ask.question, asker.wanted),
      persona: withRules(persona, current.settings),
      emotion: feel(ask.question),
      ...asker,
      principal: reader,
      abort: new AbortController(),
    }
    const normal = approvableAs(question)
    const limits = principal.limits ?? {}
    const neighbours = tuned(deps, current.settings)
    const ahead = isWorthSearching(question, normal, limits) ? searchFor(question, undefined, neighbours) : undefined
    const mayBeCached = current.settings.cacheAnswers && deps.providers.length > 0
    const cachedAhead = ahead?.then(
      ({ found }) => (mayBeCached ? lookAhead(question, neighbours, found.passages) : undefined),
      () => undefined, // heard where the search is awaited
    )
    const beginWith = (reserved: Reservation) =>
      deps.beginnings.begin({
        answerId,
        questionId,
        questionExists: ask.questionId !== undefined,
        conversationId,
        newConversation: ask.conversationId === undefined,
        principal: principal.id,
        question: ask.question,
        persona: persona.id,
        owner: deps.owner,
        body: {
          traceId: asker.traceId,
          persona: persona.id,
          settingsVersion: current.version,
          reserved,
          question: ask.question,
          questionId,
        },
        reservation: reserved,
        ...(normal ? { normal } : {}),
        ...(limits.tokensPerDay && reserved.tokens > 0 ? { ownTokens: limits.tokensPerDay } : {}),
        ...(limits.openAnswers ? { maxOpen: limits.openAnswers } : {}),
        ...(ask.idempotency ? { idempotency: ask.idempotency } : {}),
      })
    let reserved: Reservation = reservation
    let overBudget: AppError | undefined
    const begun = await beginWith(reserved)
      .catch((error: unknown) => {
        // quotations cost no tokens: who asks past the budget gets them
        if (!deps.ragEnabled || !(error instanceof AppError && error.code === 'budget_exhausted')) throw error
        overBudget = error
        reserved = { day: reservation.day, tokens: 0, principal: principal.id }
        return beginWith(reserved)
      })
      .catch((error: unknown) => {
        deps.writes.note(error)
        question.abort.abort(error)
        throw error
      })
    if (begun.kind === 'seen') {
      question.abort.abort()
      return attach(begun.answerId)
    }
    const { approved } = begun
    if (approved && normal) deps.saved.remember(normal)

    faultPoint('S2')
    const job: Job = {
      ...question,
      conversationId,
      questionId,
      ahead,
      cachedAhead,
      approved,
      onDisconnect: ask.onDisconnect ?? 'cancel',
      reservation: reserved,
      overBudget,
      startedAt,
      stream: deps.streams.open(answerId),
      found: emptyFound('extractive'),
      notices: deps.budgetNotices(begun.shares, question.tongue),
    }
    deps.events.answerStarted({ answerId, requestId: asker.requestId })
    running.set(answerId, { job, done: run(job, neighbours).finally(leave) })
    return { answerId, conversationId, isNew: true }
  }

  /** While the question is being committed; not for what may be refused after all, is answered from elsewhere or needs what was said before. */
  function isWorthSearching(asked: Asked, normal: string | undefined, limits: NonNullable<Principal['limits']>): boolean {
    const { isFollowUp, turns, question } = asked
    if (!deps.ragEnabled || isFollowUp || turns || limits.openAnswers || limits.tokensPerDay || smallTalkOf(question)) return false
    return normal === undefined || !deps.saved.isLikely(normal)
  }

  async function attach(answerId: string): Promise<Begun> {
    const row = await deps.messages.answer(answerId)
    if (!row) throw new AppError('gone', 'The answer of this Idempotency-Key was deleted.')
    return { answerId, conversationId: row.conversation, isNew: false }
  }

  /** From the committed question to the one final event; never throws. */
  async function run(job: Job, neighbours: AnswerDeps): Promise<void> {
    const { answerId, conversationId, persona, traceId } = job
    job.stream.push({
      type: 'meta',
      data: {
        answerId,
        conversationId,
        persona: persona.id,
        settingsVersion: job.settings.version,
        traceId,
        ...(job.emotion ? { emotion: job.emotion } : {}),
      },
    })
    for (const notice of job.notices) job.stream.push({ type: 'warning', data: notice })
    let end: ReturnType<typeof endOf>
    try {
      await writeAnswer(job, neighbours, aids)
      end = { state: 'done' }
    } catch (thrown) {
      end = endOf(thrown, job.abort.signal)
      if (end.unknown) deps.events.stepFailed(answerId, 'answer', end.unknown)
    }
    await finish(job, end, { remember, forget: (id) => recent.delete(id), isClosing: () => closing }, deps).catch((error: unknown) =>
      deps.events.stepFailed(answerId, 'finish', error),
    )
    deps.streams.close(answerId)
    running.delete(answerId)
    if (end.state === 'done') shadows.after(job)
    if (end.state !== 'done' || job.turns || job.overBudget) return
    void summaries.after(job, neighbours)
    void remembering.after(job, neighbours)
  }

  function remember(answer: Answer): void {
    recent.set(answer.id, answer)
    if (recent.size > RECENT) recent.delete(recent.keys().next().value!)
  }

  return {
    begin,
    isClosing: () => closing,
    /** The same steps for a job that nobody reads, with other neighbours where asked: replays and previews. */
    rehearse: (job: Job, others: Partial<AnswerDeps>) => {
      job.emotion = feel(job.question)
      return writeAnswer(job, tuned({ ...deps, ...others }, job.settings.settings), aids)
    },
    /** The finished answer from memory, or the one being written. */
    peek(answerId: string): Answer | undefined {
      const job = running.get(answerId)?.job
      return recent.get(answerId) ?? (job && !job.stream.fenced ? answerOf(job, { state: 'streaming' }) : undefined)
    },
    isRunning: (answerId: string) => running.has(answerId),
    /** Who asked, while it is being written here. */
    askerOf: (answerId: string) => running.get(answerId)?.job.principal.id,
    forget: (answerId: string) => recent.delete(answerId),
    jobs: (): Iterable<Job> => [...running.values()].map(({ job }) => job),
    /** Ends an answer of this process; resolves when it has ended. False when it is not ours. */
    async stop(answerId: string, why = new CutShort('stopped', 'stopped', 'The answer was stopped.')): Promise<boolean> {
      const entry = running.get(answerId)
      if (!entry) return false
      entry.job.abort.abort(why)
      await Promise.race([entry.done, wait(3_000)])
      return true
    },
    /** Takes no more questions, lets answers finish for a while, then ends them as interrupted. */
    async close(drainMs: number): Promise<void> {
      closing = true
      summaries.close()
      remembering.close()
      await shadows.close()
      const all = () => Promise.all([...running.values()].map(({ done }) => done))
      const limit = new AbortController()
      await Promise.race([all(), wait(drainMs, undefined, { signal: limit.signal }).catch(() => undefined)])
      limit.abort()
      const why = new CutShort('interrupted', 'interrupted', 'The service is being restarted; ask again.')
      for (const { job } of running.values()) job.abort.abort(why)
      await Promise.race([all(), wait(5_000)])
    },
  }
}
