import { hash } from 'node:crypto'

export const KEY_BYTES = 16

/** Chunks of an adopted index that nobody has taken yet. */
export type Claims = {
  /** the number of one with this key */
  take(key: string): number | undefined
  readonly taken: number
  readonly left: number
}

/** What the terms of a chunk follow from, in `KEY_BYTES` characters of one byte: `textHash` is of header and text. */
export function keyOf(textHash: string, path: string): string {
  return hash('sha256', `${textHash}\n${path}`, 'buffer').toString('latin1', 0, KEY_BYTES)
}

/** `keys` by number of chunk; zeros where a chunk is removed. */
export function createClaims(keys: Uint8Array): Claims {
  const all = Buffer.from(keys.buffer, keys.byteOffset, keys.byteLength).toString('latin1')
  const none = '\0'.repeat(KEY_BYTES)
  const firstOf = new Map<string, number>()
  // texts that stand in a file more than once have one key
  const nextOf = new Int32Array(keys.length / KEY_BYTES).fill(-1)
  let left = 0
  let taken = 0
  for (let number = nextOf.length - 1; number >= 0; number--) {
    const key = all.slice(number * KEY_BYTES, (number + 1) * KEY_BYTES)
    if (key === none) continue
    nextOf[number] = firstOf.get(key) ?? -1
    firstOf.set(key, number)
    left++
  }
  return {
    get taken() {
      return taken
    },
    get left() {
      return left
    },
    take(key) {
      const number = firstOf.get(key)
      if (number === undefined) return undefined
      const next = nextOf[number]!
      if (next < 0) firstOf.delete(key)
      else firstOf.set(key, next)
      left--
      taken++
      return number
    },
  }
}
