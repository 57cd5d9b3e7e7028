import { fold } from '@docent/core/text/fold'
import type { Embedder } from '@docent/models/embedder'

// one dimension per meaning: both languages of a word meet there
const meanings: [number, RegExp][] = [
  [0, /保修|warranty|guarantee/],
  [1, /密码|password/],
  [2, /退款|refund/],
  [3, /电池|battery/],
  [4, /会议室|meeting room/],
  [5, /年假|annual leave|holiday/],
  [6, /打印机|printer/],
  [7, /报销|expense/],
  [8, /宽带|网络|network/],
]
export const dimension = 32

export type FakeEmbedder = Embedder & { down: boolean; hangs: boolean; calls: number }

/** Deterministic: meaning dimensions, and a little of the text's letters so that no two texts are equal. */
export function fakeEmbedder(): FakeEmbedder {
  const fake: FakeEmbedder = {
    down: false,
    hangs: false,
    calls: 0,
    info: async () => ({ model: 'fake', dimension }),
    async query(text, signal) {
      const [vector] = await fake.passages([text], signal)
      return vector!
    },
    async passages(texts, signal) {
      fake.calls++
      if (fake.hangs) await new Promise((_, fail) => signal.addEventListener('abort', () => fail(signal.reason as Error), { once: true }))
      if (fake.down) throw new Error('the embedder is down')
      return texts.map(vectorOf)
    },
  }
  return fake
}

export function vectorOf(text: string): Float32Array {
  const folded = fold(text)
  // like e5's, all cosines are high: what is common to all texts weighs most
  const vector = new Float32Array(dimension).fill(0.35)
  for (const [at, pattern] of meanings) if (pattern.test(folded)) vector[at]! += 1
  for (let i = 0; i < folded.length; i++) vector[16 + (folded.charCodeAt(i) % 16)]! += 0.5 / folded.length
  const length = Math.hypot(...vector)
  return vector.map((value) => value / length)
}
