import type { Chunk } from '@docent/core/chunk'
import type { Block } from '@docent/core/document'
import { expect, test } from 'vitest'
import { applyEdits } from './apply-edits.ts'
import { chunkDocument } from './chunk.ts'

const text = Array.from({ length: 12 }, (_, i) => `Sentence ${i} of this section says something of its own about it.`).join(' ')
const chunks = chunkDocument(
  { text, blocks: [{ kind: 'paragraph', text, heading: ['H'], start: 0, end: text.length }] },
  { size: 200, overlap: 0 },
)

test('without edits that concern it a document stays as it is', () => {
  expect(applyEdits(text, chunks, [])).toEqual(chunks)
  expect(applyEdits(text, chunks, [{ sourceHash: 'another', sourceText: 'Not in it.', isDisabled: true, text: null }])).toEqual(chunks)
})

test("a disabled chunk is kept apart, and its text is in no neighbour's parent", () => {
  const secret = chunks[2]!
  const edited = applyEdits(text, chunks, [{ sourceHash: secret.textHash, sourceText: secret.text, isDisabled: true, text: null }])
  expect(edited[2]).toMatchObject({ isDisabled: true, text: secret.text, textHash: secret.textHash })
  for (const [i, chunk] of edited.entries()) {
    expect(chunk.parent.text).toBe(text.slice(chunk.parent.start, chunk.parent.end))
    expect(chunk.parent.text).toContain(chunk.text)
    if (i !== 2) expect(chunk.parent.text).not.toContain(secret.text.slice(0, 40))
  }
})

test('an overridden chunk has the new text and its hash, and remembers the source', () => {
  const source = chunks[1]!
  const edited = applyEdits(text, chunks, [{ sourceHash: source.textHash, sourceText: source.text, isDisabled: false, text: 'Put right.' }])
  expect(edited[1]).toMatchObject({
    text: 'Put right.',
    parent: { text: 'Put right.' },
    source: { hash: source.textHash, text: source.text },
  })
  expect(edited[1]!.textHash).not.toBe(source.textHash)
  expect(edited[0]!.parent.text).not.toContain(source.text.slice(0, 40))
  expect(edited.map(({ ordinal }) => ordinal)).toEqual(chunks.map(({ ordinal }) => ordinal))
})

const paragraph = (name: string) => `The ${name} paragraph says what only it may say. It has a second sentence about the ${name} as well.`
const [first, secret, last] = ['first', 'hidden', 'last'].map(paragraph) as [string, string, string]
function read(parts: readonly string[], heading: (part: number) => string[] = () => []) {
  const blocks: Block[] = []
  let all = ''
  for (const [i, part] of parts.entries()) {
    blocks.push({ kind: 'paragraph', text: part, heading: heading(i), start: all.length, end: all.length + part.length })
    all += i + 1 < parts.length ? `${part}\n\n` : part
  }
  return { text: all, blocks }
}
const disabling = ({ textHash, text: sourceText }: Chunk) => ({ sourceHash: textHash, sourceText, isDisabled: true, text: null })
const replacing = (chunk: Chunk, by: string) => ({ ...disabling(chunk), isDisabled: false, text: by })
const active = (edited: readonly Chunk[]) => edited.filter(({ isDisabled }) => !isDisabled)
const said = (edited: readonly Chunk[]) => active(edited).flatMap((chunk) => [chunk.text, chunk.parent.text])
const three = read([first, secret, last])
const small = { size: 120, overlap: 0 }
const large = { size: 600, overlap: 0 }
const hidden = chunkDocument(three, small).find((chunk) => chunk.text === secret)!

test('what was taken out stays out of the chunk it is merged into, and that chunk says what was extracted', () => {
  const merged = chunkDocument(three, large)
  const edited = applyEdits(three.text, merged, [disabling(hidden)])
  expect(edited).toMatchObject([
    { text: `${first}\n\n${last}`, locator: merged[0]!.locator, source: { hash: merged[0]!.textHash, text: three.text } },
  ])
  expect(edited[0]).toMatchObject({ cutBy: [hidden.textHash], parent: { text: `${first}\n\n${last}` } })
  expect(edited[0]!.textHash).not.toBe(merged[0]!.textHash)
})

test('cut as before, an edit holds for its chunk and for no other', () => {
  const edited = applyEdits(three.text, chunkDocument(three, small), [disabling(hidden)])
  expect(edited.map(({ isDisabled, cutBy }) => [isDisabled ?? false, cutBy])).toEqual([
    [false, undefined],
    [true, undefined],
    [false, undefined],
  ])
  expect(edited.map((chunk) => chunk.text)).toEqual([first, secret, last])
  for (const one of said(edited)) expect(one).not.toContain('hidden')
})

test('what was taken out stays out of the chunks it is split into: they are disabled, and listed with their text', () => {
  const whole = chunkDocument(three, large)[0]!
  const split = chunkDocument(three, small)
  const edited = applyEdits(three.text, split, [disabling(whole)])
  expect(edited.map(({ isDisabled, text: left, cutBy }) => [isDisabled, left, cutBy])).toEqual(
    split.map((chunk) => [true, chunk.text, [whole.textHash]]),
  )
})

test('where boundaries have shifted each chunk loses its share, also with overlap', () => {
  for (const size of [100, 130, 170, 230, 310])
    for (const overlap of [0, 60]) {
      const before = chunkDocument({ text, blocks: [] }, { size: 200, overlap: 0 })
      const taken = before[2]!
      const edited = applyEdits(text, chunkDocument({ text, blocks: [] }, { size, overlap }), [disabling(taken)])
      const all = said(edited).join('\n')
      for (const sentence of text.match(/Sentence.*?\./g)!) {
        if (taken.text.includes(sentence)) expect(all).not.toContain(sentence)
        else expect(all).toContain(sentence)
      }
    }
})

test('a text that overlaps into the chunk before and after is cut there, too', () => {
  const overlapping = chunkDocument({ text, blocks: [] }, { size: 200, overlap: 80 })
  const taken = overlapping[2]!
  expect(overlapping[1]!.locator.end).toBeGreaterThan(taken.locator.start)
  const edited = applyEdits(text, overlapping, [disabling(taken)])
  for (const sentence of taken.text.match(/Sentence.*?\./g)!) expect(said(edited).join('\n')).not.toContain(sentence)
})

test('what stands twice under its heading is cut twice; under another heading it is another chunk', () => {
  const twice = read([first, secret, last, secret, last, secret], (part) => [part < 5 ? 'One' : 'Two'])
  const { textHash } = chunkDocument(twice, small)[1]!
  const edited = applyEdits(twice.text, chunkDocument(twice, large), [{ ...disabling(hidden), sourceHash: textHash }])
  expect(active(edited).map((chunk) => chunk.text)).toEqual([`${first}\n\n${last}\n\n${last}`, secret])
  // where no heading is the one it was edited under, all of them are meant
  const unknown = applyEdits(twice.text, chunkDocument(twice, large), [{ ...disabling(hidden), sourceHash: 'of an older heading' }])
  for (const one of said(unknown)) expect(one).not.toContain('hidden')
})

test('a replacement stands where its source stood, once', () => {
  const merged = applyEdits(three.text, chunkDocument(three, large), [replacing(hidden, 'Put right.')])
  expect(merged).toMatchObject([{ text: `${first}\n\nPut right.\n\n${last}`, parent: { text: `${first}\n\nPut right.\n\n${last}` } }])
  const whole = chunkDocument(three, large)[0]!
  const split = applyEdits(three.text, chunkDocument(three, small), [replacing(whole, 'Put right.')])
  expect(split.map(({ text: left, isDisabled }) => [left, isDisabled ?? false])).toEqual([
    ['Put right.', false],
    [secret, true],
    [last, true],
  ])
  const off = applyEdits(three.text, chunkDocument(three, large), [{ ...replacing(hidden, 'Put right.'), isDisabled: true }])
  expect(off[0]!.text).toBe(`${first}\n\n${last}`)
})

test('an edit of a whole chunk goes before that of a part, whichever way the document is cut', () => {
  const whole = chunkDocument(three, large)[0]!
  const edits = [replacing(hidden, 'A part.'), replacing(whole, 'All of it.')]
  expect(applyEdits(three.text, chunkDocument(three, large), edits).map((chunk) => chunk.text)).toEqual(['All of it.'])
  const between = applyEdits(three.text, chunkDocument(three, { size: 250, overlap: 0 }), edits)
  expect(active(between).map((chunk) => chunk.text)).toEqual(['All of it.'])
})

test('a short text is cut where it is a line or a sentence of its own, not out of another', () => {
  const note = read(['Note', 'Notebooks take a Note of it. The Note is kept.', 'Nobody reads it.'])
  const edit = { sourceHash: 'of an older heading', sourceText: 'Note', isDisabled: true, text: null }
  expect(applyEdits(note.text, chunkDocument(note, large), [edit])[0]!.text).toBe(
    'Notebooks take a Note of it. The Note is kept.\n\nNobody reads it.',
  )
  const chinese = read(['保修两年。价格保密。请勿外传。'])
  const price = { ...edit, sourceText: '价格保密。' }
  expect(applyEdits(chinese.text, chunkDocument(chinese, large), [price])[0]!.text).toBe('保修两年。请勿外传。')
})

test('a text that is gone from the document changes nothing', () => {
  const without = read([first, last])
  const cut = chunkDocument(without, large)
  expect(applyEdits(without.text, cut, [disabling(hidden), replacing(hidden, 'Put right.')])).toEqual(cut)
})
