import type { Log } from '@docent/kit/logger'
import { Counter, Gauge, Histogram, type Registry } from 'prom-client'

export const stages = ['plan', 'lexical', 'embed', 'dense', 'fuse', 'rerank', 'parents', 'total'] as const
export type Stage = (typeof stages)[number]
export const steps = ['dense', 'chroma', 'rerank', 'parents', 'everyday', 'beside', 'sentences'] as const
export type Step = (typeof steps)[number]
/** where a question's vector came from; `cache_down`: Redis could not be asked */
export const vectorSources = ['memory', 'cache', 'embedder', 'cache_down'] as const
export type VectorSource = (typeof vectorSources)[number]

/** What happens here, said once: each event feeds its log line and its metric. */
export type RetrievalEvents = {
  stage(stage: Stage, ms: number): void
  searched(outcome: { answerable: boolean; degraded: readonly Step[]; passages: number; ms: number; requestId: string }): void
  legLost(step: Step, error: unknown): void
  legBack(step: Step): void
  generationFollowed(generation: { id: number; model: string }): void
  /** `reused`: chunks whose words stood in the snapshot */
  loaded(index: { chunks: number; reused: number; ms: number }): void
  snapshotWritten(chunks: number, ms: number): void
  /** the index is read from the texts instead */
  snapshotRefused(error: unknown): void
  /** the next start takes longer */
  snapshotFailed(error: unknown): void
  followed(documents: number, chunks: number): void
  feedFailed(error: unknown): void
  questionVector(from: VectorSource): void
  /** the kernel may end the process for its memory, which it has not done yet */
  memoryShort(memory: { chunks: number; neededMb: number; limitMb: number }): void
}

export function createEvents(registry: Registry, log: Log): RetrievalEvents {
  const registers = [registry]
  const seconds = new Histogram({
    name: 'docent_retrieval_seconds',
    help: 'Time of one stage of a search',
    labelNames: ['stage'] as const,
    buckets: [0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3],
    registers,
  })
  const searches = new Counter({ name: 'docent_search_total', help: 'Searches by outcome', labelNames: ['outcome'] as const, registers })
  const degraded = new Counter({
    name: 'docent_degraded_total',
    help: 'Searches that did without a step',
    labelNames: ['step'] as const,
    registers,
  })
  const chunksHeld = new Gauge({ name: 'docent_lexical_chunks', help: 'Chunks in the lexical index', registers })
  const vectors = new Counter({
    name: 'docent_question_vectors_total',
    help: 'Where the vector of a question came from',
    labelNames: ['from'] as const,
    registers,
  })
  const snapshots = new Counter({
    name: 'docent_lexical_snapshots_total',
    help: 'Snapshots of the lexical index: written, failed to be written, refused at a start',
    labelNames: ['outcome'] as const,
    registers,
  })
  for (const outcome of ['written', 'failed', 'refused']) snapshots.inc({ outcome }, 0)
  for (const from of vectorSources) vectors.inc({ from }, 0)
  for (const outcome of ['answerable', 'not']) searches.inc({ outcome }, 0)
  for (const step of steps) degraded.inc({ step }, 0)

  return {
    stage: (stage, ms) => seconds.observe({ stage }, ms / 1000),
    searched({ answerable, degraded: missing, passages, ms, requestId }) {
      searches.inc({ outcome: answerable ? 'answerable' : 'not' })
      for (const step of missing) degraded.inc({ step })
      log.debug({ requestId, answerable, degraded: missing, passages, ms }, 'searched')
    },
    legLost: (step, error) => log.warn({ step, err: error }, 'a leg of the search is lost; searches go on without it'),
    legBack: (step) => log.info({ step }, 'a leg of the search is back'),
    generationFollowed: ({ id, model }) => log.info({ generation: id, model }, 'searches use another generation'),
    loaded({ chunks, reused, ms }) {
      chunksHeld.set(chunks)
      log.info({ chunks, reused, ms: Math.round(ms) }, 'lexical index loaded')
    },
    snapshotWritten(chunks, ms) {
      snapshots.inc({ outcome: 'written' })
      log.info({ chunks, ms: Math.round(ms) }, 'snapshot of the lexical index written')
    },
    snapshotRefused(error) {
      snapshots.inc({ outcome: 'refused' })
      log.warn({ err: error }, 'no use for the snapshot of the lexical index; it is made anew')
    },
    snapshotFailed(error) {
      snapshots.inc({ outcome: 'failed' })
      log.warn({ err: error }, 'the snapshot of the lexical index cannot be written; the next start takes longer')
    },
    followed(documents, chunks) {
      chunksHeld.set(chunks)
      log.debug({ documents, chunks }, 'the index followed the corpus')
    },
    questionVector: (from) => vectors.inc({ from }),
    memoryShort: (memory) =>
      log.warn(memory, 'searching this many chunks may need more memory than the container has, and end it: set RETRIEVAL_MEM to more'),
    feedFailed: (error) => log.warn({ err: error }, 'the change feed cannot be read; trying again'),
  }
}
