import type { Generation } from '@docent/corpus/corpus'
import { expect, test } from 'vitest'
import type { HeldChunk, Language } from '../index/chunk-index.ts'
import { meanVector, nearnessTo } from './everywhere.ts'
import { createFlatVectors, dot } from './flat-vectors.ts'
import { createNearness } from './nearness.ts'

const generation: Generation = { id: 1, model: 'm', dimension: 2, chromaCollection: 'c', state: 'active' }
const chunk = (textHash: string, written: Language) => ({ textHash, written }) as HeldChunk
const everyday = { zh: [Float32Array.of(1, 0), Float32Array.of(0, 1)], en: [Float32Array.of(0, 1)] }

/** Chunks of both languages whose vectors are [n, 1]; `read` tells which were asked of Postgres. */
function library(maxChunks = 100) {
  const chunks = Array.from({ length: 250 }, (_, n) => chunk(`${n}`, n % 2 ? 'zh' : 'en'))
  const read: string[] = []
  const loadVectors = async (hashes: readonly string[]) => {
    read.push(...hashes)
    return new Map(hashes.filter((hash) => hash !== '7').map((hash) => [hash, Float32Array.of(Number(hash), 1)]))
  }
  const index = { all: () => chunks, count: (language: Language) => chunks.filter(({ written }) => written === language).length }
  const nearness = createNearness(index, createFlatVectors({ loadVectors }, maxChunks), generation)
  return { chunks, read, nearness }
}

test('without everyday questions nothing is known, and nothing read', async () => {
  const { chunks, read, nearness } = library()
  expect((await nearness.of(chunks.slice(0, 5), 'zh'))(chunks[0]!)).toBeUndefined()
  expect(read).toEqual([])
})

test('all chunks of the other language are read ahead, each once, and searches in both languages in turn read none', async () => {
  const { chunks, read, nearness } = library()
  await nearness.follow(everyday)
  expect(read.toSorted()).toEqual(chunks.map(({ textHash }) => textHash).toSorted())
  read.length = 0
  for (const language of ['zh', 'en', 'zh', 'en'] as const) {
    const others = chunks.filter(({ written }) => written !== language).slice(10, 60)
    const of = await nearness.of(others, language)
    const expected = language === 'zh' ? (n: number) => (n + 1) / 2 : () => 1
    expect(others.map(of)).toEqual(others.map(({ textHash }) => expected(Number(textHash))))
  }
  expect(read).toEqual([])
})

test('a chunk that came later is read with the search that finds it; one without a vector has none', async () => {
  const { chunks, read, nearness } = library()
  await nearness.follow(everyday)
  read.length = 0
  const later = chunk('1000', 'en')
  const of = await nearness.of([later, chunks[0]!], 'zh')
  expect([of(later), of(chunks[0]!)]).toEqual([500.5, 0.5])
  expect(read).toEqual(['1000'])
  expect((await nearness.of([chunks[7]!], 'en'))(chunks[7]!)).toBeUndefined()
})

test('more chunks than are kept are not read ahead', async () => {
  const { read, nearness } = library(50)
  await nearness.follow(everyday)
  expect(read).toEqual([])
})

test('the mean of questions is as near to a vector as they are on average', () => {
  const questions = [Float32Array.of(1, 0, 2), Float32Array.of(0, 3, 1), Float32Array.of(2, 2, 2)]
  const vector = Float32Array.of(0.5, 1, 0.25)
  expect(dot(meanVector(questions), vector)).toBeCloseTo(nearnessTo(questions, vector), 6)
})
