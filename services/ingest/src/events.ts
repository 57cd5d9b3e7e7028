import { EventEmitter } from 'node:events'
import type { Progress } from '@docent/core/document'
import type { Log } from '@docent/kit/logger'
import { dependencyUp, httpSeconds, type Metrics } from '@docent/kit/metrics'
import { Counter, Gauge, Histogram } from 'prom-client'
import { type PauseReason, pauseReasons, pauseSentences } from './pauses.ts'
import type { ScanReport } from './scan/scan-report.ts'

export type DocumentEvent = { documentId: string; path: string; state: string; code?: string; progress?: Progress }
export type Events = ReturnType<typeof createEvents>

/** One function per business event feeds log, metric and the SSE of documents. */
export function createEvents(log: Log, registry: Metrics, onPause?: (reason: PauseReason, isOn: boolean) => void) {
  const bus = new EventEmitter().setMaxListeners(200)
  const registers = [registry]
  const indexed = new Counter({
    name: 'docent_documents_indexed_total',
    help: 'Documents that ended an attempt to index them',
    labelNames: ['outcome'],
    registers,
  })
  const seconds = new Histogram({
    name: 'docent_index_seconds',
    help: 'Time to index a document',
    buckets: [0.1, 0.5, 2, 10, 60, 300],
    registers,
  })
  const embedded = new Counter({ name: 'docent_chunks_embedded_total', help: 'Chunks that cost an embedding', registers })
  const reused = new Counter({ name: 'docent_ingest_vectors_reused_total', help: 'Chunks whose vector was there already', registers })
  const documents = new Gauge({ name: 'docent_documents', help: 'Documents by state', labelNames: ['state'], registers })
  const jobs = new Gauge({ name: 'docent_queue_jobs', help: 'Jobs by queue and state', labelNames: ['queue', 'state'], registers })
  const paused = new Gauge({
    name: 'docent_ingest_paused',
    help: '1 while ingest waits for this reason',
    labelNames: ['reason'],
    registers,
  })
  const extractions = new Gauge({
    name: 'docent_extractions_total',
    help: "Extractions, from the extractor's own counters",
    labelNames: ['format', 'outcome'],
    registers,
  })
  const badControls = new Gauge({
    name: 'docent_control_files_refused',
    help: 'Control files of the folder that cannot be followed',
    registers,
  })
  const webhooks = new Counter({
    name: 'docent_webhook_deliveries_total',
    help: 'Failures told to the webhook, by outcome',
    labelNames: ['outcome'],
    registers,
  })
  const filled = new Counter({
    name: 'docent_generation_embedded_total',
    help: 'Texts embedded to fill a generation of the index',
    registers,
  })
  const besideTexts = new Gauge({
    name: 'docent_generation_texts',
    help: 'Texts of the generation beside the one that serves: all, and those without a vector; 0 when there is none',
    labelNames: ['what'],
    registers,
  })
  for (const what of ['all', 'missing']) besideTexts.set({ what }, 0)
  for (const outcome of ['sent', 'failed', 'dropped']) webhooks.inc({ outcome }, 0)
  for (const outcome of ['done', 'failed', 'skipped']) indexed.inc({ outcome }, 0)
  for (const reason of pauseReasons) paused.set({ reason }, 0)
  const waiting = new Map<PauseReason, { message: string; since: string }>()
  const tell = (event: DocumentEvent) => bus.emit('document', event)

  return {
    up: dependencyUp(registry),
    httpSeconds: httpSeconds(registry),
    documentIndexed(document: { id: string; path: string }, figures: { chunks: number; embedded: number; ms: number }) {
      indexed.inc({ outcome: 'done' })
      seconds.observe(figures.ms / 1000)
      embedded.inc(figures.embedded)
      reused.inc(figures.chunks - figures.embedded)
      log.info({ documentId: document.id, ...figures }, 'document indexed')
      tell({ documentId: document.id, path: document.path, state: 'ready' })
    },
    documentFailed(document: { id: string; path: string }, code: string, state: 'failed' | 'skipped') {
      indexed.inc({ outcome: state })
      log.warn({ documentId: document.id, code }, 'document failed')
      tell({ documentId: document.id, path: document.path, state, code })
    },
    scanned({ changes: _, ...figures }: ScanReport) {
      if (figures.added + figures.changed + figures.renamed + figures.removed + figures.resettled > 0) log.info(figures, 'folder scanned')
    },
    /** of the control files, those that came or changed (a problem: not followed), those that went, and how many are refused */
    controlFiles(changed: readonly { path: string; problem: string | null }[], gone: readonly string[], refused: number) {
      badControls.set(refused)
      for (const { path, problem } of changed) {
        if (problem === null) log.info({ path }, 'a control file is followed')
        else log.warn({ path, problem }, 'a control file cannot be followed; what it said before still holds')
      }
      for (const path of gone) log.info({ path }, 'a control file is gone')
    },
    /** a cancelled document's job could not be taken out of the queue; it ends by itself when it finds the document cancelled */
    jobLeft: (documentId: string, err: unknown) => log.warn({ documentId, err }, 'the job of a cancelled document stays in the queue'),
    webhook: (outcome: 'sent' | 'failed' | 'dropped') => webhooks.inc({ outcome }),
    generationFilled: (texts: number) => filled.inc(texts),
    generationCounted(beside: { texts: number; missing: number } | undefined) {
      besideTexts.set({ what: 'all' }, beside?.texts ?? 0)
      besideTexts.set({ what: 'missing' }, beside?.missing ?? 0)
    },
    generationActivated: ({ id, model }: { id: number; model: string }) =>
      log.info({ generation: id, model }, 'another generation of the index serves'),
    documentChanged: tell,
    paused(reason: PauseReason, on: boolean, message?: string) {
      if (on === waiting.has(reason)) return
      paused.set({ reason }, on ? 1 : 0)
      const said = message || pauseSentences[reason]
      if (on) waiting.set(reason, { message: said, since: new Date().toISOString() })
      else waiting.delete(reason)
      if (on) log.warn({ reason, why: said }, 'ingest waits')
      else log.info({ reason }, 'ingest goes on')
      onPause?.(reason, on)
    },
    pausedReasons: (): PauseReason[] => [...waiting.keys()],
    pauses: () => [...waiting].map(([reason, { message, since }]) => ({ reason, message, since })),
    counted(counts: Record<string, number>, queues: Record<string, Record<string, number>>) {
      documents.reset()
      for (const state of ['queued', 'indexing', 'ready', 'failed', 'skipped', 'missing']) documents.set({ state }, counts[state] ?? 0)
      for (const [queue, states] of Object.entries(queues)) for (const [state, n] of Object.entries(states)) jobs.set({ queue, state }, n)
    },
    extracted(counters: Record<string, number>) {
      for (const [key, n] of Object.entries(counters)) {
        const [format = 'unknown', outcome = 'unknown'] = key.split(',')
        extractions.set({ format, outcome }, n)
      }
    },
    onDocument(listener: (event: DocumentEvent) => void): () => void {
      bus.on('document', listener)
      return () => bus.off('document', listener)
    },
  }
}
