import { createHash } from 'node:crypto'
import { appendFileSync, existsSync, mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Embedder } from '@docent/models/embedder'

const KEY_BYTES = 32

/** The same vectors as `embedder`, from a file outside the repository where an earlier run left them: a measurement repeated is quick. */
export async function cachedEmbedder(embedder: Embedder, folder: string): Promise<Embedder & { made: number }> {
  const { model, dimension } = await embedder.info()
  mkdirSync(folder, { recursive: true })
  const file = join(folder, `${model.replace(/[^\w.-]+/g, '_')}-${dimension}.bin`)
  const rowBytes = KEY_BYTES + dimension * 4
  const known = new Map<string, Float32Array>()
  if (existsSync(file)) {
    const bytes = readFileSync(file)
    for (let at = 0; at + rowBytes <= bytes.length; at += rowBytes) {
      const vector = new Float32Array(bytes.buffer.slice(bytes.byteOffset + at + KEY_BYTES, bytes.byteOffset + at + rowBytes))
      known.set(bytes.toString('hex', at, at + KEY_BYTES), vector)
    }
  }

  async function vectorsOf(kind: 'query' | 'passage', texts: readonly string[], make: (missing: string[]) => Promise<Float32Array[]>) {
    const keys = texts.map((text) => createHash('sha256').update(`${kind}:${text}`).digest('hex'))
    const missing = new Map(keys.flatMap((key, i) => (known.has(key) ? [] : [[key, texts[i]!] as const])))
    if (missing.size > 0) {
      const made = await make([...missing.values()])
      cached.made += made.length
      ;[...missing.keys()].forEach((key, i) => {
        const vector = made[i]!
        known.set(key, vector)
        const bytes = Buffer.from(vector.buffer, vector.byteOffset, vector.byteLength)
        appendFileSync(file, Buffer.concat([Buffer.from(key, 'hex'), bytes]))
      })
    }
    return keys.map((key) => known.get(key)!)
  }

  const cached: Embedder & { made: number } = {
    made: 0,
    info: (signal) => embedder.info(signal),
    query: async (text, signal) => (await vectorsOf('query', [text], async () => [await embedder.query(text, signal)]))[0]!,
    passages: (texts, signal) => vectorsOf('passage', texts, (missing) => embedder.passages(missing, signal)),
  }
  return cached
}
