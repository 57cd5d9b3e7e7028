import type { EmbedderEvents, Kind } from './events.ts'
import { type Embedded, openLane } from './lane.ts'
import type { SessionData } from './session-worker.ts'

export type Workers = AsyncDisposable & {
  embed(kind: Kind, texts: readonly string[], signal: AbortSignal): Promise<Embedded[]>
  /** one text through each thread, before all that waits there */
  probe(text: string): Promise<Embedded[]>
}

export type WorkersOptions = {
  session: SessionData
  events: EmbedderEvents
  maxWaiting: Record<Kind, number>
  /** tests put a thread that dies here */
  script?: URL
}

// A name of its own: bundlers and test runners rewrite `new Worker(new URL(…))`.
const sessionWorker = new URL('./session-worker.ts', import.meta.url)

/** Two threads with a session each: one is kept for questions, so that none ever waits behind a passage. */
export async function openWorkers({ session, events, maxWaiting, script = sessionWorker }: WorkersOptions): Promise<Workers> {
  // onnxruntime reports to its vendor unless the process' environment says no; a thread's own environment is a copy it does not see.
  process.env.ORT_DISABLE_TELEMETRY = '1'
  await using opened = new AsyncDisposableStack()
  const open = async (kind: Kind) => opened.use(await openLane({ kind, script, session, maxWaiting: maxWaiting[kind], events }))
  const [query, passage] = settled(await Promise.allSettled([open('query'), open('passage')]))
  const lanes = { query, passage }
  const lasting = opened.move()
  return {
    embed: (kind, texts, signal) => lanes[kind].embed(texts, signal),
    probe: (text) => Promise.all([query.embedFirst(text), passage.embedFirst(text)]),
    [Symbol.asyncDispose]: () => lasting.disposeAsync(),
  }
}

/** Both threads have started or ended before a failure goes on, so that none is left behind. */
function settled<T>([first, second]: [PromiseSettledResult<T>, PromiseSettledResult<T>]): [T, T] {
  if (first.status === 'rejected') throw first.reason
  if (second.status === 'rejected') throw second.reason
  return [first.value, second.value]
}
