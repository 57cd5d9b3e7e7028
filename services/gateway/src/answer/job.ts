import type { Answer, CitationSpan, Emotion, FinalState, Usage, Warning } from '@docent/core/answer-event'
import { AppError, toAppError } from '@docent/core/errors'
import type { Passage, SearchRequest, SearchResponse, Source } from '@docent/core/passage'
import type { Principal } from '@docent/core/principal'
import type { z } from 'zod'
import type { ShownSource } from '../store/citations.ts'
import type { Known } from '../store/memories.ts'
import type { Persona } from '../store/personas.ts'
import type { SavedAnswer } from '../store/saved-answers.ts'
import type { CurrentSettings } from '../store/settings.ts'
import type { Reservation } from '../store/usage.ts'
import type { LiveStream } from '../stream/live-stream.ts'
import type { CachedAhead } from './cached.ts'
import { say, type Tongue } from './phrases.ts'
import type { Turn } from './prompt.ts'
import type { Price } from './providers.ts'
import type { Searched } from './search.ts'

/** What is known of a question before it is committed. */
export type Asked = {
  answerId: string
  question: string
  settings: CurrentSettings
  filters: Record<string, unknown> | undefined
  /** as the request wished; the settings hold it already */
  rerank?: boolean | undefined
  isFollowUp: boolean
  turns: Turn[] | undefined
  principal: Principal
  tongue: Tongue
  persona: Persona
  /** how the question sounds, where that is looked at */
  emotion?: Emotion | undefined
  requestId: string
  traceId: string
  abort: AbortController
}

/** When its last reader has left: it goes on, is stopped if none comes back in a while, or is stopped at once, for none can. */
export type Leaving = 'detach' | 'cancel' | 'stop'

/** What one question needs from begin to end; the steps fill `found`. */
export type Job = Asked & {
  conversationId: string
  /** what was begun while the question was being committed */
  ahead?: Promise<Searched> | undefined
  cachedAhead?: Promise<CachedAhead | undefined> | undefined
  /** the answer that the owner approved for this question */
  approved?: SavedAnswer | undefined
  /** of a conversation that is answered again: the summary it had */
  summary?: string | undefined
  questionId: string
  /** of a reader who opted into memory */
  known?: Known | undefined
  onDisconnect: Leaving
  reservation: Reservation
  /** why no model may be asked: what it would use did not fit */
  overBudget?: AppError | undefined
  startedAt: number
  stream: LiveStream
  found: Found
  /** warnings that stand before everything else */
  notices: { code: string; message: string }[]
}

export type Found = {
  sources: Source[]
  citations: CitationSpan[]
  degraded: string[]
  warnings: Warning[]
  usage: Usage
  estimatedInput: number
  /** of the provider that is or was asked */
  price: Price | undefined
  model: string
  answerable: boolean
  /** what was searched and found, for a shadow */
  searched?: { query: z.input<typeof SearchRequest>; response: Pick<SearchResponse, 'passages' | 'tookMs'> }
  approved?: NonNullable<Answer['approved']>
  timings: Record<string, number>
  record: Record<string, unknown>
  /** things that must be stored before the end is */
  pending: Promise<unknown>[]
  /** sources that could not be stored when they were shown: stored with the end */
  unstored?: ShownSource[]
}

export type Shown = { source: Source; passage: Passage }

/** Why an answer is cut short: aborting its controller with this ends it in `state`. */
export class CutShort extends Error {
  override readonly name = 'CutShort'
  readonly state: FinalState
  readonly code: string
  constructor(state: FinalState, code: string, message: string) {
    super(message)
    this.state = state
    this.code = code
  }
}

export function emptyFound(model: string): Found {
  return {
    sources: [],
    citations: [],
    degraded: [],
    warnings: [],
    usage: { inputTokens: 0, outputTokens: 0 },
    estimatedInput: 0,
    price: undefined,
    model,
    answerable: true,
    timings: {},
    record: {},
    pending: [],
  }
}

/** Said once in the stream and once more with the answer. */
export function warn(job: Job, code: string, message: string): void {
  job.found.warnings.push({ code, message })
  job.stream.push({ type: 'warning', data: { code, message } })
}

/** A step is missing: said once in the stream, the answer and the record. `isAtLimit`: no model failed, those not asked were at their limits. */
export function degrade(job: Job, step: string, isAtLimit = false): void {
  if (job.found.degraded.includes(step)) return
  job.found.degraded.push(step)
  const isQuoted = job.found.record.smallTalk === undefined && job.found.record.withoutSources === undefined
  const phrase = (isQuoted || !quotedInstead.has(step)) && ((isAtLimit && limitPhrase[step]) || downPhrase[step])
  const message = phrase ? say(phrase, job.tongue) : (degradedMessage[step] ?? `The step ${step} was left out.`)
  job.stream.push({ type: 'warning', data: { code: 'degraded', message, ...{ step } } })
}

const downPhrase: Record<string, Parameters<typeof say>[0]> = {
  provider: 'providerDown',
  model: 'modelDown',
  budget: 'overBudget',
  retrieval: 'searchDown',
}
const quotedInstead = new Set(['model', 'budget'])
const limitPhrase: typeof downPhrase = { provider: 'providerAtLimit', model: 'modelAtLimit' }
const degradedMessage: Record<string, string> = {
  dense: 'Search by meaning is down; the answer rests on search by words.',
  lexical: 'Search by words is down; the answer rests on search by meaning.',
  resume: 'The journal is down; this answer cannot be resumed from another process.',
  model: 'The model did not answer.',
  budget: 'What is left of the budget of the model does not cover another answer; it was not asked.',
  tools: 'The model did not answer, so no tool was used.',
  memory: 'What is remembered of you could not be read; the answer does without it.',
  rewrite: 'The model gave no other wording of the question; it was searched as it was asked.',
  cache: 'The cache is down; no earlier answer could be looked up.',
}

export function endOf(thrown: unknown, aborted: AbortSignal): { state: FinalState; code?: string; message?: string; unknown?: unknown } {
  if (aborted.aborted && aborted.reason instanceof CutShort) {
    const { state, code, message } = aborted.reason
    return { state, code, message }
  }
  const error = toAppError(thrown)
  return { state: 'error', code: error.code, message: error.message, unknown: error.code === 'internal' ? thrown : undefined }
}

export function answerOf(job: Job, end: { state: Answer['state']; code?: string; message?: string }): Answer {
  const { sources, citations, degraded, warnings, usage, model, answerable, approved } = job.found
  return {
    id: job.answerId,
    conversationId: job.conversationId,
    state: end.state,
    text: job.stream.text,
    answerable,
    sources,
    citations,
    degraded,
    ...(warnings.length > 0 ? { warnings } : {}),
    usage,
    model,
    traceId: job.traceId,
    ...(approved ? { approved } : {}),
    ...(end.code && end.state !== 'done' ? { error: { code: end.code, message: end.message ?? '' } } : {}),
  }
}

/** A process that drains takes no more questions. */
export function leaving(): AppError {
  return new AppError('unavailable', 'The gateway is being restarted; try again in a moment.', { retryAfterS: 2 })
}
