import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { cpuMs } from '../../lib/testkit/src/cpu-ms.ts'
import { contentIds, encode } from './tokenizer.ts'
import { readVocabulary } from './vocabulary.ts'

const model = new URL('../model/', import.meta.url)
const vocabulary = readVocabulary(readFileSync(new URL('vocab.bin', model)))
const golden = JSON.parse(readFileSync(new URL('golden.json', model), 'utf8')) as { items: { kind: string; text: string; ids: number[] }[] }

describe('the tokenizer', () => {
  it('has 61 golden texts to answer for', () => {
    expect(golden.items).toHaveLength(61)
  })

  it.each(golden.items.map((item) => [item.text.slice(0, 40), item] as const))('gives the golden ids of %j', (_name, item) => {
    expect(encode(vocabulary, `${item.kind}: ${item.text.trim()}`)).toEqual(item.ids)
  })

  it('never gives more than 512 ids and ends with the end', () => {
    const ids = encode(vocabulary, '保修期是多久？'.repeat(2_000))
    expect(ids).toHaveLength(512)
    expect([ids[0], ids.at(-1)]).toEqual([vocabulary.begin, vocabulary.end])
  })

  it('gives user text no special id', () => {
    const ids = contentIds(vocabulary, '<s></s><pad><mask>')
    expect(ids.filter((id) => id <= 2)).toEqual([])
  })

  it('reads a million characters in bounded time', () => {
    expect(cpuMs(() => encode(vocabulary, 'lorem 漢字 '.repeat(120_000)))).toBeLessThan(2_000)
  })

  it('refuses a file that is no vocabulary', () => {
    expect(() => readVocabulary(new Uint8Array(100))).toThrow('not a vocabulary')
  })
})
