import { fork } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { cosine } from '@docent/core/cosine'
import { decodeBase64 } from '@docent/models/vectors'
import { z } from 'zod'
import { type ChildService, startChild } from './child-service.ts'
import type { RawReply } from './embed/raw-session.ts'
import { makeLibrary } from './make-library.ts'
import { percentile } from './open-bench.ts'

const PADDED = 16
const SLICE = 32 // texts in one request, as ingest sends them
const LIMIT_MS = 180_000
const MIN_COSINE = 0.999

const Reply = z.object({ data: z.array(z.object({ embedding: z.string() })), usage: z.object({ total_tokens: z.int() }) })
const Golden = z.object({ items: z.array(z.object({ kind: z.string(), text: z.string(), vector: z.array(z.number()) })) })

/**
 * BENCH 7 and 8: chunks of 50 to 500 characters, half zh, half en, through the service, through onnxruntime alone (one thread, one text per
 * run) and in the usual way (16 padded texts per run, default threads; also in one thread); slice by slice in turn, until the time is over.
 */
export async function benchEmbed(scope: AsyncDisposableStack, chunks = 2_000): Promise<Record<string, number>> {
  const service = scope.use(await startChild('embedder', {}))
  const one = scope.use(await startRaw(1, 1))
  const usual = scope.use(await startRaw(PADDED, 0))
  const usualInOneThread = scope.use(await startRaw(PADDED, 1))
  const ways = {
    service: (texts: readonly string[]) => throughService(service, texts),
    one: one.measure,
    usual: usual.measure,
    usualInOneThread: usualInOneThread.measure,
  }
  const worstGolden = await againstGolden(service)
  const texts = mixedTexts(chunks)
  for (const way of Object.values(ways)) await way(texts.slice(-SLICE))

  const slices: Record<keyof typeof ways, RawReply>[] = []
  const started = performance.now()
  for (let at = 0; at < texts.length && performance.now() - started < LIMIT_MS; at += SLICE) {
    const some = texts.slice(at, at + SLICE)
    // the second of a pair may find a warmer machine: each goes first in turn
    const names = ['service', 'one', 'usualInOneThread', 'usual'] as const
    const turn = slices.length % 2 === 0 ? names : names.toReversed()
    const slice: Partial<(typeof slices)[number]> = {}
    for (const way of turn) slice[way] = await ways[way](some)
    slices.push(slice as (typeof slices)[number])
  }

  const sum = (way: keyof typeof ways, figure: 'tokens' | 'ms' | 'cpuS') => slices.reduce((total, slice) => total + slice[way][figure], 0)
  const perCpuS = (way: keyof typeof ways) => sum(way, 'tokens') / sum(way, 'cpuS')
  const embedded = slices.reduce((total, slice) => total + slice.one.vectors.length, 0)
  if (sum('service', 'tokens') !== sum('one', 'tokens')) throw new Error('the service counted other tokens than the raw run')
  const cosines = (way: 'one' | 'usual') =>
    slices.flatMap((slice) => slice.service.vectors.map((vector, i) => cosine(vector, slice[way].vectors[i]!)))
  const worst = Math.min(...cosines('one'))
  if (!(Math.min(worst, worstGolden) >= MIN_COSINE)) throw new Error(`vectors differ: cosine ${worst}, against golden ${worstGolden}`)
  return {
    chunks: embedded,
    'tokens a chunk': sum('one', 'tokens') / embedded,
    'tokens/CPU-s, service': perCpuS('service'),
    'tokens/CPU-s, raw session.run': perCpuS('one'),
    'embed-eff: tokens/CPU-s, service ÷ raw': perCpuS('service') / perCpuS('one'),
    'the same, median of slices': percentile(
      slices.map((slice) => slice.one.cpuS / slice.service.cpuS),
      0.5,
    ),
    'chunks/s, service': embedded / (sum('service', 'ms') / 1000),
    'chunks/s, 16 padded texts per run': embedded / (sum('usual', 'ms') / 1000),
    'embed-vs-peers: chunks/s, service ÷ 16 padded texts': percentile(
      slices.map((slice) => slice.usual.ms / slice.service.ms),
      0.5,
    ),
    'chunks/CPU-s, service ÷ 16 padded texts': sum('usual', 'cpuS') / sum('service', 'cpuS'),
    'chunks/CPU-s, service ÷ 16 padded texts in one thread': sum('usualInOneThread', 'cpuS') / sum('service', 'cpuS'),
    'worst cosine, service and golden': worstGolden,
    'worst cosine, service and raw': worst,
    'worst cosine, service and 16 padded texts': Math.min(...cosines('usual')),
    'resident, MB': service.memory().rssMb,
  }
}

async function throughService(service: ChildService, texts: readonly string[], kind = 'passage'): Promise<RawReply> {
  const cpuBefore = service.cpuS()
  const started = performance.now()
  const response = await fetch(`${service.url}/v1/embeddings`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ input: texts, kind, encoding_format: 'base64' }),
  })
  const body: unknown = await response.json()
  const ms = performance.now() - started
  const cpuS = service.cpuS() - cpuBefore
  const { data, usage } = Reply.parse(body)
  return { tokens: usage.total_tokens, ms, cpuS, vectors: data.map(({ embedding }) => [...decodeBase64(embedding)]) }
}

async function againstGolden(service: ChildService): Promise<number> {
  const file = new URL('../../../../embedder/model/golden.json', import.meta.url)
  const { items } = Golden.parse(JSON.parse(readFileSync(file, 'utf8')))
  let worst = 1
  for (const { kind, text, vector } of items)
    worst = Math.min(worst, cosine((await throughService(service, [text], kind)).vectors[0]!, vector))
  return worst
}

/** The library's chunks, languages in turn, cut to lengths that repeat. */
function mixedTexts(chunks: number): string[] {
  const { chunks: documents } = makeLibrary(Math.ceil(chunks / 100) * 100, {
    setsFolder: process.env.EVAL_SETS,
    sampleFolder: new URL('../../../../../documents', import.meta.url).pathname,
  })
  const all = [...documents].flat().map(({ text }) => text)
  const inTurn = all.map((_, i) => all[(i * 51) % all.length]!) // a document is 50 chunks of one language
  return inTurn.slice(0, chunks).map((text, i) => text.slice(0, 50 + ((i * 37) % 10) * 50))
}

type Raw = AsyncDisposable & { measure(texts: readonly string[]): Promise<RawReply> }

async function startRaw(textsPerRun: number, threads: number): Promise<Raw> {
  const child = fork(new URL('./embed/raw-session.ts', import.meta.url), [String(textsPerRun), String(threads)], {
    env: { PATH: process.env.PATH, ORT_DISABLE_TELEMETRY: '1' },
  })
  const ended = once(child, 'exit')
  const answer = async (): Promise<unknown> => {
    const [reply] = (await Promise.race([once(child, 'message'), ended])) as [unknown]
    if (typeof reply !== 'object' && reply !== 'ready') throw new Error(`the raw session ended (${String(reply)})`)
    return reply
  }
  await answer()
  return {
    async measure(texts) {
      child.send(texts)
      return (await answer()) as RawReply
    },
    async [Symbol.asyncDispose]() {
      child.kill('SIGTERM')
      await ended
    },
  }
}
