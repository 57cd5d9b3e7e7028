import type { Log } from '@docent/kit/logger'
import type { Metrics } from '@docent/kit/metrics'
import { Counter, Gauge, Histogram } from 'prom-client'
import type { Attempt } from './answer/generate.ts'

const MOST_VERSIONS = 20
const results = ['answered', 'not_found', 'failed'] as const

export type Events = ReturnType<typeof createEvents>

/** One function per business event: it feeds log and metric together. Identifiers go to the log, never to a label. */
export function createEvents(log: Log, registry: Metrics, streamsOpen: () => number) {
  const registers = [registry]
  const answers = new Counter({ name: 'docent_answers_total', help: 'Answers by how they ended', labelNames: ['outcome'], registers })
  const answerSeconds = new Histogram({
    name: 'docent_answer_seconds',
    help: 'From the question to the end of its answer',
    buckets: [0.05, 0.2, 0.5, 1, 2, 5, 10, 30, 60, 180],
    registers,
  })
  const firstToken = new Histogram({
    name: 'docent_answer_first_token_seconds',
    help: 'From the question to the first text',
    buckets: [0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20],
    registers,
  })
  const degraded = new Counter({ name: 'docent_degraded_total', help: 'Answers given without a step', labelNames: ['step'], registers })
  const tokens = new Counter({ name: 'docent_tokens_total', help: 'Tokens of the models', labelNames: ['direction'], registers })
  const cache = new Counter({ name: 'docent_cache_total', help: 'Look-ups of cached answers', labelNames: ['outcome'], registers })
  const providerCalls = new Counter({
    name: 'docent_provider_calls_total',
    help: 'What came of the providers of models; skipped (left alone) and limited ones (past a limit) were not asked',
    labelNames: ['provider', 'outcome'],
    registers,
  })
  new Gauge({
    name: 'docent_streams_open',
    help: 'Answers being written now',
    registers,
    collect() {
      this.set(streamsOpen())
    },
  })
  const budgetUsed = new Gauge({
    name: 'docent_budget_used_ratio',
    help: 'Share of a budget that is used or put aside, as of the last question',
    labelNames: ['budget'],
    registers,
  })
  const shadows = new Counter({
    name: 'docent_shadow_total',
    help: 'Questions searched once more with the shadow configuration; dropped: too many at once',
    labelNames: ['outcome'],
    registers,
  })
  const shadowOverlap = new Histogram({
    name: 'docent_shadow_overlap_ratio',
    help: 'Share of the passages that the shadow found, too',
    buckets: [0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1],
    registers,
  })
  const shadowMoves = new Histogram({
    name: 'docent_shadow_rank_change',
    help: 'Places by which passages that both found have moved, on average',
    buckets: [0, 0.25, 0.5, 1, 2, 3, 5, 8],
    registers,
  })
  const shadowFirst = new Counter({
    name: 'docent_shadow_first_total',
    help: 'Whether the first passage was the same',
    labelNames: ['first'],
    registers,
  })
  const shadowSeconds = new Histogram({
    name: 'docent_shadow_seconds',
    help: 'Time of the same search as it served and as the shadow',
    labelNames: ['side'],
    buckets: [0.003, 0.01, 0.03, 0.1, 0.3, 1, 3, 10],
    registers,
  })
  for (const outcome of ['done', 'degraded', 'failed', 'dropped']) shadows.inc({ outcome }, 0)
  for (const first of ['same', 'other']) shadowFirst.inc({ first }, 0)
  const bySettings = new Counter({
    name: 'docent_answers_by_settings_total',
    help: `Answers by the version of the settings they ran with, of the latest ${MOST_VERSIONS} versions`,
    labelNames: ['version', 'result'],
    registers,
  })
  const versions: number[] = []
  /** A label for each version would grow without end. */
  function countFor(version: number, result: (typeof results)[number]): void {
    if (!versions.includes(version)) {
      versions.push(version)
      for (const old of versions.splice(0, versions.length - MOST_VERSIONS))
        for (const each of results) bySettings.remove({ version: String(old), result: each })
    }
    bySettings.inc({ version: String(version), result })
  }
  const warned = new Set<string>()
  const steps = new Set([
    'dense',
    'lexical',
    'retrieval',
    'provider',
    'model',
    'budget',
    'cache',
    'resume',
    'rerank',
    'rewrite',
    'memory',
    'tools',
  ])
  for (const outcome of ['done', 'stopped', 'interrupted', 'error']) answers.inc({ outcome }, 0)

  return {
    budgetSeen(budget: string, ratio: number) {
      budgetUsed.set({ budget }, ratio)
    },
    /** Said once a day in the log. */
    budgetNear(budget: string, ratio: number) {
      const key = `${budget} ${new Date().toISOString().slice(0, 10)}`
      if (warned.has(key)) return
      warned.add(key)
      log.warn({ budget, percent: Math.round(ratio * 100) }, 'a budget is nearly used up')
    },
    answerStarted(ids: { answerId: string; requestId: string }) {
      log.info(ids, 'answer started')
    },
    answerEnded(end: {
      answerId: string
      outcome: string
      code?: string
      ms: number
      model: string
      degraded: readonly string[]
      answerable: boolean
      settingsVersion: number
    }) {
      answers.inc({ outcome: end.outcome })
      if (end.outcome === 'done') countFor(end.settingsVersion, end.answerable ? 'answered' : 'not_found')
      if (end.outcome === 'error') countFor(end.settingsVersion, 'failed')
      answerSeconds.observe(end.ms / 1000)
      for (const step of end.degraded) degraded.inc({ step: steps.has(step) ? step : 'other' })
      log[end.outcome === 'error' ? 'warn' : 'info'](end, 'answer ended')
    },
    firstText(ms: number) {
      firstToken.observe(ms / 1000)
    },
    tokensUsed(input: number, output: number) {
      tokens.inc({ direction: 'input' }, input)
      tokens.inc({ direction: 'output' }, output)
    },
    cacheLooked(outcome: 'hit' | 'miss' | 'down') {
      cache.inc({ outcome })
    },
    providerAttempted(answerId: string, attempt: Attempt, error?: Error) {
      const { provider, outcome } = attempt
      providerCalls.inc({ provider, outcome })
      if (error) log.warn({ answerId, ...attempt, err: error }, 'a model provider failed')
    },
    shadowed(
      outcome: 'done' | 'degraded',
      { overlap, meanMove, isSameFirst }: { overlap: number; meanMove: number; isSameFirst: boolean },
      ms: { served: number; shadow: number },
    ) {
      shadows.inc({ outcome })
      if (outcome === 'degraded') return // that a part was down says nothing of the configuration
      shadowOverlap.observe(overlap)
      shadowMoves.observe(meanMove)
      shadowFirst.inc({ first: isSameFirst ? 'same' : 'other' })
      shadowSeconds.observe({ side: 'served' }, ms.served / 1000)
      shadowSeconds.observe({ side: 'shadow' }, ms.shadow / 1000)
    },
    shadowFailed(answerId: string, error: unknown, ms: number) {
      shadows.inc({ outcome: 'failed' })
      log.warn({ answerId, ms: Math.round(ms), err: error }, 'the shadow of a search failed; its answer was not touched')
    },
    shadowDropped: () => shadows.inc({ outcome: 'dropped' }),
    orphanEnded(answerId: string) {
      answers.inc({ outcome: 'interrupted' })
      log.warn({ answerId, outcome: 'interrupted' }, 'an answer whose process died was closed')
    },
    stepFailed(answerId: string, step: string, error: unknown) {
      log.warn({ answerId, step, err: error }, 'a step of an answer failed')
    },
  }
}
