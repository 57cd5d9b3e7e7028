import { expect, test } from 'vitest'
import { applyEdits } from './apply-edits.ts'
import { chunkDocument } from './chunk.ts'

const text = Array.from({ length: 12 }, (_, i) => `Sentence ${i} of this section says something of its own about it.`).join(' ')
const chunks = chunkDocument(
  { text, blocks: [{ kind: 'paragraph', text, heading: ['H'], start: 0, end: text.length }] },
  { size: 200, overlap: 0 },
)

test('without edits that concern it a document stays as it is', () => {
  expect(applyEdits(chunks, [])).toEqual(chunks)
  expect(applyEdits(chunks, [{ sourceHash: 'another', isDisabled: true, text: null }])).toEqual(chunks)
})

test("a disabled chunk is kept apart, and its text is in no neighbour's parent", () => {
  const secret = chunks[2]!
  const edited = applyEdits(chunks, [{ sourceHash: secret.textHash, isDisabled: true, text: null }])
  expect(edited[2]).toMatchObject({ isDisabled: true, text: secret.text, textHash: secret.textHash })
  for (const [i, chunk] of edited.entries()) {
    expect(chunk.parent.text).toBe(text.slice(chunk.parent.start, chunk.parent.end))
    expect(chunk.parent.text).toContain(chunk.text)
    if (i !== 2) expect(chunk.parent.text).not.toContain(secret.text.slice(0, 40))
  }
})

test('an overridden chunk has the new text and its hash, and remembers the source', () => {
  const source = chunks[1]!
  const edited = applyEdits(chunks, [{ sourceHash: source.textHash, isDisabled: false, text: 'Put right.' }])
  expect(edited[1]).toMatchObject({
    text: 'Put right.',
    parent: { text: 'Put right.' },
    source: { hash: source.textHash, text: source.text },
  })
  expect(edited[1]!.textHash).not.toBe(source.textHash)
  expect(edited[0]!.parent.text).not.toContain(source.text.slice(0, 40))
  expect(edited.map(({ ordinal }) => ordinal)).toEqual(chunks.map(({ ordinal }) => ordinal))
})
