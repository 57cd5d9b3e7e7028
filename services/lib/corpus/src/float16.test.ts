import { expect, test } from 'vitest'
import { decodeFloat16, encodeFloat16 } from './float16.ts'

test('a vector comes back from two bytes a number, true to three digits', () => {
  const vector = Float32Array.from({ length: 384 }, (_, i) => Math.sin(i) / 14)
  const bytes = encodeFloat16(vector)
  expect(bytes.length).toBe(768)
  const back = decodeFloat16(bytes)
  for (let i = 0; i < vector.length; i++) expect(Math.abs(back[i]! - vector[i]!)).toBeLessThan(1e-4)
})

test('bytes at an odd place in their buffer are read as well', () => {
  const bytes = encodeFloat16(Float32Array.of(1, -0.5, 0.25))
  const shifted = Buffer.concat([Buffer.from([7]), bytes]).subarray(1)
  expect([...decodeFloat16(shifted)]).toEqual([1, -0.5, 0.25])
})
