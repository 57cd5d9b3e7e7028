import { identifiersOf } from '@docent/core/text/identifiers'
import { expect, test } from 'vitest'
import { findNamed } from './named.ts'

const hits = (...texts: string[]) =>
  texts.map((text, i) => ({ chunk: { id: `${i}`, text, header: 'Shelves', document: { path: 'a.md' } } }))
const naming = (question: string, ...texts: string[]) => findNamed(identifiersOf(question), hits(...texts))

test('a rare identifier that stands in a passage singles it out', () => {
  const { naming: found, holders } = naming('Where is KOALA-55?', 'KOALA-5 | 1', 'KOALA-54 | 2\nKOALA-55 | 7')
  expect(found).toBe('held')
  expect([...holders]).toEqual(['1'])
})

test('one that stands in no passage is nowhere, whatever resembles it', () => {
  expect(naming('Where is KOALA-99?', 'KOALA-9 | 1', 'KOALA-991 | 2').naming).toBe('nowhere')
})

test('what every passage names singles none out, and one known of two says nothing', () => {
  const many = Array.from({ length: 30 }, (_, i) => `the A1 has part ${i}`)
  expect(naming('How heavy is the A1?', ...many)).toMatchObject({ naming: undefined, holders: new Set() })
  expect(naming('Is KOALA-99 above KOALA-55?', 'KOALA-55 | 7').naming).toBeUndefined()
})

test('a question without identifiers asks for none', () => {
  expect(naming('Where is the koala?', 'the koala sleeps').naming).toBeUndefined()
})

test('a name in the path or the headings counts', () => {
  expect(naming('What is in a.md of SO-2024-0042?', 'nothing').naming).toBe('nowhere')
  expect(findNamed(identifiersOf('HX-20'), [{ chunk: { id: 'x', text: 't', header: 'Pump HX-20', document: { path: 'p' } } }]).naming).toBe(
    'held',
  )
})
