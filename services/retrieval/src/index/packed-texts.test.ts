import { expect, test } from 'vitest'
import { packTexts } from './packed-texts.ts'

test('texts come back as they were: narrow, wide, empty, lone surrogates', () => {
  const texts = ['plain', '保修期', '', 'é ÿ Ā', '\ud800x\udc00', '𠮷', 'a\u0000b', '']
  const packed = packTexts(texts)
  expect(texts.map((_, i) => packed.at(i))).toEqual(texts)
})
