import { AppError } from '@docent/core/errors'

export type VectorRules = { count: number; dimension?: number }

/** What a server sent as vectors → normalised vectors; a wrong shape, NaN or a zero vector is never passed on. */
export function readVectors(sent: readonly (readonly unknown[] | Float32Array)[], { count, dimension }: VectorRules): Float32Array[] {
  if (sent.length !== count) throw wrong(`${sent.length} vectors for ${count} texts`)
  const expected = dimension ?? sent[0]?.length
  return sent.map((values) => {
    if (values.length === 0 || values.length !== expected)
      throw wrong(`a vector of ${values.length} dimensions where ${expected} were expected`)
    return normalise(Float32Array.from(values as ArrayLike<number>, (value) => (typeof value === 'number' ? value : Number.NaN)))
  })
}

/** Base64 of little-endian float32, as OpenAI's `encoding_format: base64`. */
export function decodeBase64(text: string): Float32Array {
  const bytes = Buffer.from(text, 'base64')
  return new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + (bytes.byteLength & ~3)))
}

function normalise(vector: Float32Array): Float32Array {
  let squares = 0
  for (const value of vector) squares += value * value
  if (!Number.isFinite(squares)) throw wrong('a vector with values that are not numbers')
  if (squares === 0) throw wrong('a vector of zeros')
  if (Math.abs(squares - 1) < 1e-4) return vector
  const length = Math.sqrt(squares)
  return vector.map((value) => value / length)
}

function wrong(what: string): AppError {
  return new AppError('embedding_failed', `The embedding model sent ${what}.`)
}
