import { expect, test } from 'vitest'
import { clean } from './clean.ts'
import { createBuilder } from './document-builder.ts'

test('ordinary text, emoji with joiners and rare Han stay as they are', () => {
  for (const text of ['中文 English\tx\ny', '👨\u200d👩\u200d👧', '\u{20bb7}野家', 'क्\u200dष', 'naïve'])
    expect(clean(text)).toEqual({ text, removed: 0 })
})

test('NUL, tags, overrides, lone surrogates and zero-width spaces go', () => {
  expect(clean('a\0b\ud800c\u{e0041}d\u202ee\u200bf\r\ng')).toEqual({ text: 'abcdef\ng', removed: 5 })
})

test('whatever is added, every block is a slice of the text (seeded)', () => {
  let seed = 7
  const random = (n: number) => (seed = (seed * 48271) % 2147483647) % n
  const pieces = ['中', '𠮷', 'a ', '\n', '\u200b', '\ud83d', '👩\u200d💻', '|', '\u{e0061}', '\0']
  for (let round = 0; round < 200; round++) {
    const builder = createBuilder(100_000)
    builder.add('paragraph', 'first')
    for (let n = 0; n < random(20); n++) {
      const text = Array.from({ length: random(30) }, () => pieces[random(pieces.length)]).join('')
      if (random(3) === 0) builder.heading(1 + random(6), text, { page: 1 + n })
      else builder.add((['paragraph', 'list', 'table', 'code'] as const)[random(4)]!, text)
    }
    const document = builder.build('text/plain')
    for (const block of document.blocks) expect(document.text.slice(block.start, block.end)).toBe(block.text)
    expect(document.text.isWellFormed()).toBe(true)
  }
})
