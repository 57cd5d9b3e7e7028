import { randomUUID } from 'node:crypto'
import type { CitationSpan, Usage } from '@docent/core/answer-event'
import { AppError } from '@docent/core/errors'
import type { Principal } from '@docent/core/principal'
import type { Pool } from '@docent/kit/postgres'
import type { Request, Response } from 'express'
import type { Persona, Personas } from '../store/personas.ts'
import type { SourceNote } from '../store/records.ts'
import { named, type Settings, type SettingsPatch } from '../store/settings.ts'
import type { UsageStore } from '../store/usage.ts'
import { createLiveStream } from '../stream/live-stream.ts'
import type { Answers } from './answer.ts'
import { CutShort, emptyFound, endOf, type Job } from './job.ts'
import { tongueOf } from './phrases.ts'
import type { Turn } from './prompt.ts'
import type { Provider } from './providers.ts'
import { flightRecord } from './record.ts'
import { countWhatWasSent } from './steps.ts'
import { reservationOf, settingsOf, within, withRules } from './tune.ts'

type Deps = {
  pool: Pool
  answers: Pick<Answers, 'rehearse'>
  personas: Personas
  usage: UsageStore
  providers: readonly Pick<Provider, 'name' | 'price'>[]
  toolsEnabled: boolean
}
export type RehearsalAsk = {
  question: string
  /** an id, or a draft that is not kept */
  persona: string | Persona
  /** of all; the persona's own win over them, and `changes` over both */
  settings: Settings
  changes: SettingsPatch
  filters?: Record<string, unknown> | undefined
  turns: Turn[]
  summary?: string | undefined
  /** what the first asker may read, when that was not everything */
  collections?: string[] | undefined
  groups?: string[] | undefined
}
export type Rehearsed = {
  state: string
  code?: string
  text: string
  settings: Settings
  persona: string
  personaVersion: number
  sources: SourceNote[]
  citations: CitationSpan[]
  answerable: boolean
  model: string
  degraded: string[]
  usage: Usage
  record: Record<string, unknown>
}
export type Rehearsals = ReturnType<typeof createRehearsals>

const LIMIT_MS = 120_000
const notKept = { save: async () => undefined, find: async () => undefined, ofAnswer: async () => [] }

/** A question answered for the owner's eyes: nothing cached, no conversation, no citation ids; only its cost is booked. */
export function createRehearsals(deps: Deps) {
  /** Undefined when the caller left. */
  async function run(ask: RehearsalAsk, req: Request, res: Response): Promise<Rehearsed | undefined> {
    const persona = typeof ask.persona === 'string' ? await deps.personas.find(ask.persona) : ask.persona
    if (!persona) throw new AppError('not_found', `There is no persona "${String(ask.persona)}" any more; name one as "persona".`)
    const wanted = { ...settingsOf(persona, ask.settings), ...named(ask.changes) }
    const settings = { ...wanted, cacheAnswers: false, savedAnswers: false }
    const { collections, groups } = ask
    const reader: Principal =
      collections || groups
        ? { id: req.principal.id, kind: 'user', scopes: ['chat', 'read'], groups: groups ?? [], ...(collections ? { collections } : {}) }
        : req.principal
    const principal = within(reader, persona)
    const reservation = reservationOf({ settings, persona, principal: req.principal.id, tools: deps.toolsEnabled }, deps.providers)
    await deps.usage.reserve(reservation, req.principal.limits?.tokensPerDay)
    const answerId = randomUUID()
    const job: Job = {
      answerId,
      conversationId: answerId,
      question: ask.question,
      tongue: tongueOf(ask.question),
      persona: withRules(persona, settings),
      settings: { version: 0, settings },
      filters: ask.filters,
      isFollowUp: false,
      turns: ask.turns,
      summary: ask.summary,
      questionId: answerId,
      principal,
      requestId: req.requestId,
      traceId: req.traceId,
      onDisconnect: 'cancel',
      reservation,
      startedAt: performance.now(),
      // a journal that is nowhere: the text is read from the stream itself
      stream: createLiveStream(
        answerId,
        async () => 'kept',
        (flush) => setImmediate(flush),
      ),
      abort: new AbortController(),
      found: emptyFound('extractive'),
      notices: [],
    }
    const leave = () => job.abort.abort(new CutShort('stopped', 'stopped', 'The caller left.'))
    const limit = setTimeout(() => job.abort.abort(new CutShort('error', 'timeout', `It took more than ${LIMIT_MS / 1000} s.`)), LIMIT_MS)
    res.on('close', leave)
    let end: ReturnType<typeof endOf> = { state: 'done' }
    try {
      await deps.answers.rehearse(job, { citations: notKept })
    } catch (thrown) {
      end = endOf(thrown, job.abort.signal)
      if (end.unknown) throw thrown
    } finally {
      clearTimeout(limit)
      res.off('close', leave)
      await settle(job)
    }
    if (res.destroyed) return undefined
    const { found, stream } = job
    const { sources, citations, usage, ...record } = flightRecord(job, end)
    void [citations, usage]
    return {
      state: end.state,
      ...(end.code ? { code: end.code } : {}),
      text: stream.text,
      settings: wanted,
      persona: persona.id,
      personaVersion: persona.version,
      sources: (sources as SourceNote[] | undefined) ?? [],
      citations: found.citations,
      answerable: found.answerable,
      model: found.model,
      degraded: found.degraded,
      usage: found.usage,
      record,
    }
  }

  async function settle(job: Job): Promise<void> {
    countWhatWasSent(job)
    const { inputTokens, outputTokens, cost } = job.found.usage
    await deps.usage.settle(deps.pool, job.reservation, { requests: 1, input: inputTokens, output: outputTokens, money: cost ?? 0 })
  }
  return { run }
}
