import { readFileSync } from 'node:fs'
import { encode } from '@docent/embedder/tokenizer'
import { readVocabulary } from '@docent/embedder/vocabulary'
import { InferenceSession, Tensor } from 'onnxruntime-node'
import { cpuSecondsOf } from '../child-service.ts'

// onnxruntime alone over the bundled model, in a process of its own: told texts, it answers with what `run` took of them.
// `raw-session.ts TEXTS THREADS`: so many texts per run, padded to the longest; threads 0: as many as onnxruntime takes by itself.
export type RawReply = { tokens: number; ms: number; cpuS: number; vectors: number[][] }
const PAD = 1n

const [size, threads] = process.argv.slice(2).map(Number) as [number, number]
const model = new URL('../../../../../embedder/model/', import.meta.url)
const vocabulary = readVocabulary(readFileSync(new URL('vocab.bin', model)))
const session = await InferenceSession.create(
  new URL('model.onnx', model).pathname,
  threads === 0 ? {} : { intraOpNumThreads: threads, interOpNumThreads: 1, executionMode: 'sequential', enableMemPattern: false },
)

process.on('message', (texts: string[]) => {
  measure(texts).then(
    (reply) => process.send!(reply),
    (error: unknown) => {
      console.error(error)
      process.exit(1)
    },
  )
})
process.send!('ready')

/** Ids and tensors are made before the clock starts: only `run` is measured. */
async function measure(texts: readonly string[]): Promise<RawReply> {
  const ids = texts.map((text) => encode(vocabulary, `passage: ${text.trim()}`))
  const batches = Array.from({ length: Math.ceil(ids.length / size) }, (_, i) => feedsOf(ids.slice(i * size, (i + 1) * size)))
  const cpuBefore = cpuSecondsOf(process.pid)
  const started = performance.now()
  const outputs: Float32Array[] = []
  for (const feeds of batches) outputs.push((await session.run(feeds)).sentence_embedding!.data as Float32Array)
  const ms = performance.now() - started
  const cpuS = cpuSecondsOf(process.pid) - cpuBefore
  const flat = outputs.flatMap((output) => [...output])
  const dimension = flat.length / texts.length
  const vectors = texts.map((_, i) => flat.slice(i * dimension, (i + 1) * dimension))
  return { tokens: ids.reduce((sum, { length }) => sum + length, 0), ms, cpuS, vectors }
}

function feedsOf(batch: readonly number[][]): Record<string, Tensor> {
  const width = Math.max(...batch.map(({ length }) => length))
  const ids = new BigInt64Array(batch.length * width).fill(PAD)
  const mask = new BigInt64Array(batch.length * width)
  batch.forEach((one, row) => {
    ids.set(BigInt64Array.from(one, BigInt), row * width)
    mask.fill(1n, row * width, row * width + one.length)
  })
  const shape = [batch.length, width]
  return { input_ids: new Tensor('int64', ids, shape), attention_mask: new Tensor('int64', mask, shape) }
}
