import type { Log } from '@docent/kit/logger'
import { Counter, Gauge, Histogram, type Registry } from 'prom-client'

export type Kind = 'query' | 'passage'

/** What happens here, said once: each event feeds its log line and its metric. */
export type EmbedderEvents = {
  /** `seconds` of one model run, or of one request to a remote provider */
  embedded(kind: Kind, seconds: number, tokens: number): void
  waiting(kind: Kind, texts: number): void
  /** a request waited so long for the limits of its provider */
  paced(seconds: number): void
  workerLost(kind: Kind, error: Error): void
  workerBack(kind: Kind): void
  started(model: string): void
}

export function createEvents(registry: Registry, log: Log): EmbedderEvents {
  const registers = [registry]
  const labelNames = ['kind'] as const
  const seconds = new Histogram({
    name: 'docent_embed_seconds',
    help: 'Time of one model run (one text), or of one request to a remote provider',
    labelNames,
    buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5, 30],
    registers,
  })
  const tokens = new Counter({ name: 'docent_embed_tokens_total', help: 'Tokens embedded', labelNames, registers })
  const waiting = new Gauge({ name: 'docent_embed_waiting_texts', help: 'Texts that wait for their run', labelNames, registers })
  const paced = new Counter({
    name: 'docent_embed_paced_seconds_total',
    help: 'Time that requests to a remote provider waited for its limits per minute',
    registers,
  })
  const lost = new Counter({
    name: 'docent_embed_workers_lost_total',
    help: 'Model threads that died and were started again',
    labelNames,
    registers,
  })
  for (const kind of ['query', 'passage'] as const) {
    tokens.inc({ kind }, 0)
    waiting.set({ kind }, 0)
    lost.inc({ kind }, 0)
  }
  return {
    embedded(kind, took, count) {
      seconds.observe({ kind }, took)
      tokens.inc({ kind }, count)
    },
    waiting: (kind, texts) => waiting.set({ kind }, texts),
    paced: (seconds) => paced.inc(seconds),
    workerLost(kind, error) {
      lost.inc({ kind })
      log.error({ kind, err: error.cause ?? error }, 'a model thread died; another is being started')
    },
    workerBack: (kind) => log.info({ kind }, 'the model thread is back'),
    started: (model) => log.info({ model }, 'embedding model ready'),
  }
}
