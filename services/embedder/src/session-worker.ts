import { fileURLToPath } from 'node:url'
import { parentPort, workerData } from 'node:worker_threads'
import { InferenceSession, Tensor } from 'onnxruntime-node'
import { encode } from './tokenizer.ts'
import type { Vocabulary } from './vocabulary.ts'

export type SessionData = { model: string; vocabulary: Vocabulary }
export type SessionRequest = { id: number; text: string } | 'close'
export type SessionReply = 'ready' | { id: number; vector: Float32Array; tokens: number; seconds: number } | { id: number; error: string }

/** One onnxruntime session on a thread of its own: `run` blocks the thread it is called on until the vector is there. */
const { model, vocabulary } = workerData as SessionData
const port = parentPort!
const session = await InferenceSession.create(fileURLToPath(model), {
  intraOpNumThreads: 1,
  interOpNumThreads: 1,
  executionMode: 'sequential',
  graphOptimizationLevel: 'all',
  enableMemPattern: false, // lengths vary
  enableCpuMemArena: true,
})

let turn = Promise.resolve()
port.on('message', (request: SessionRequest) => {
  turn = turn.then(() => (request === 'close' ? close() : answer(request)))
})
port.postMessage('ready' satisfies SessionReply)

async function answer({ id, text }: { id: number; text: string }): Promise<void> {
  try {
    const started = performance.now()
    const ids = encode(vocabulary, text)
    const vector = await run(ids)
    port.postMessage({ id, vector, tokens: ids.length, seconds: (performance.now() - started) / 1000 } satisfies SessionReply, [
      vector.buffer as ArrayBuffer,
    ])
  } catch (error) {
    port.postMessage({ id, error: error instanceof Error ? error.message : String(error) } satisfies SessionReply)
  }
}

async function run(ids: readonly number[]): Promise<Float32Array> {
  const shape = [1, ids.length]
  const feeds = {
    input_ids: new Tensor('int64', BigInt64Array.from(ids, BigInt), shape),
    attention_mask: new Tensor('int64', new BigInt64Array(ids.length).fill(1n), shape),
  }
  const output = await session.run(feeds)
  const tensor = output.sentence_embedding!
  const vector = Float32Array.from(tensor.data as Float32Array) // a copy of its own, so that it can be handed over
  tensor.dispose()
  return vector
}

async function close(): Promise<void> {
  await session.release()
  port.close()
}
