import { expect, test } from 'vitest'
import { errorTable } from '../../lib/core/src/errors.ts'
import { ownerTexts } from '../static/owner-texts.js'
import { texts } from '../static/texts.js'

test('both languages have the same words, and Chinese has words for each reason why a document is not indexed', () => {
  const { reasons, ...zh } = texts.zh
  const { reasons: _, ...en } = texts.en
  const namesOf = (words: object) =>
    Object.entries(words).flatMap(([name, text]) => (typeof text === 'string' ? name : [name, Object.keys(text)]))
  expect(namesOf(zh)).toEqual(namesOf(en))
  expect(namesOf(ownerTexts.zh)).toEqual(namesOf(ownerTexts.en))
  const codes = Object.keys(errorTable)
  const ofDocuments = codes.slice(codes.indexOf('cancelled')).filter((code) => code !== 'folder_readonly')
  expect(Object.keys(reasons)).toEqual(expect.arrayContaining(ofDocuments))
})
