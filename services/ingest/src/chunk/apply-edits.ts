import { createHash } from 'node:crypto'
import { type Chunk, embedText } from '@docent/core/chunk'

/** `sourceHash` and `sourceText`: of the chunk as it was extracted when the owner edited it. */
export type Edit = { sourceHash: string; sourceText: string; isDisabled: boolean; text: string | null }
type Span = { start: number; end: number }
/** A place in the document whose text the owner took out; `host` is the chunk that has the replacement in its stead. */
type Cut = Span & { edit: Edit; host?: Chunk }

// a text as short as this is no other's part: "Note" is not cut out of "Notebook"
const SHORT = 20

/**
 * Chunks with the owner's edits: a disabled one stays listed but is not searched, an overridden one has the owner's text.
 * Where the document is cut otherwise than when an edit was made, its source is taken out of every chunk that overlaps it, and a replacement stands in
 * the first of them. What was taken out or replaced must not come back through the section around its neighbours: their parents end before it.
 * `text` is the document's, which the chunks' places are in.
 */
export function applyEdits(text: string, chunks: readonly Chunk[], edits: readonly Edit[]): Chunk[] {
  const byHash = new Map(edits.map((edit) => [edit.sourceHash, edit]))
  const spans = edits.flatMap((edit) => spansOf(text, chunks, edit).map((span) => ({ ...span, edit })))
  if (spans.length === 0) return [...chunks]
  const cuts = spans.map((span) => withHost(span, spans, chunks, byHash)).toSorted((a, b) => a.start - b.start)
  return chunks.map((chunk) => {
    const edit = byHash.get(chunk.textHash)
    if (edit && edit.text !== null) return { ...withText(chunk, edit.text), isDisabled: edit.isDisabled }
    const rest = { ...chunk, parent: without(cuts, chunk) }
    if (edit) return { ...rest, isDisabled: edit.isDisabled }
    const inside = cuts.filter((cut) => overlap(cut, chunk.locator))
    if (inside.length === 0) return rest
    const left = remainder(chunk, inside)
    const cutBy = [...new Set(inside.map((cut) => cut.edit.sourceHash))]
    return left === '' ? { ...rest, isDisabled: true, cutBy } : { ...withText(chunk, left), cutBy }
  })
}

/** Its places stay those of what was extracted. */
function withText(chunk: Chunk, text: string): Chunk {
  const { start, end } = chunk.locator
  return {
    ...chunk,
    text,
    textHash: hashOf(chunk.header, text),
    parent: { start, end, text },
    source: { hash: chunk.textHash, text: chunk.text },
  }
}

/** Where an edit's source stands: under the header it was edited under, or, should none be so any more, wherever it does. */
function spansOf(text: string, chunks: readonly Chunk[], { sourceHash, sourceText }: Edit): Span[] {
  const whole = chunks.filter((chunk) => chunk.textHash === sourceHash).map(({ locator: { start, end } }) => ({ start, end }))
  const others = occurrencesOf(text, sourceText).filter((span) => !whole.some(({ start, end }) => start === span.start && end === span.end))
  const header = [...new Set(chunks.map((chunk) => chunk.header))].find((some) => hashOf(some, sourceText) === sourceHash)
  const own = others.filter((span) => chunks.some((chunk) => chunk.header === header && overlap(span, chunk.locator)))
  return whole.length + own.length > 0 ? [...whole, ...own] : others
}

/** Those that overlap each other are one. */
function occurrencesOf(text: string, source: string): Span[] {
  const found: Span[] = []
  if (source.trim() === '') return found
  for (let start = text.indexOf(source); start >= 0; start = text.indexOf(source, start + 1)) {
    const end = start + source.length
    if (source.length < SHORT && !standsAlone(text, source, start)) continue
    const last = found.at(-1)
    if (last && last.end > start) last.end = end
    else found.push({ start, end })
  }
  return found
}

/** Whether it is whole lines or sentences. */
function standsAlone(text: string, source: string, start: number): boolean {
  const before = text.slice(Math.max(0, start - 8), start)
  const after = text.slice(start + source.length, start + source.length + 8)
  const isBegin = /(?:^|[\n\f]|[。！？]["”’）)]*|[.!?…]["”’）)]*\s)[^\S\n]*$/.test(before)
  return isBegin && (/[。！？.!?…]["”’）)]*$/.test(source) || /^[^\S\n\f]*(?:[\n\f]|$)/.test(after))
}

/** The first chunk it overlaps that has no edit of its own; none where the chunk is matched whole, or a larger edit was made of it and its neighbours. */
function withHost(cut: Cut, cuts: readonly Cut[], chunks: readonly Chunk[], byHash: ReadonlyMap<string, Edit>): Cut {
  const { edit, start, end } = cut
  const isInner = cuts.some(
    (other) => other.edit !== edit && other.start <= start && other.end >= end && other.end - other.start > end - start,
  )
  if (edit.isDisabled || edit.text === null || isInner) return cut
  const overlapped = chunks.filter(({ locator }) => overlap(cut, locator))
  const host = overlapped.find(({ textHash }) => !byHash.has(textHash))
  return host && !overlapped.some(({ textHash }) => textHash === edit.sourceHash) ? { ...cut, host } : cut
}

/** A chunk's text without the cuts and with the replacements it is host of; cuts are in order. Empty: nothing but white space was left. */
function remainder(chunk: Chunk, cuts: readonly Cut[]): string {
  const { start } = chunk.locator
  let out = ''
  let at = start
  for (const cut of cuts) {
    out = joined(out, chunk.text.slice(at - start, Math.max(0, cut.start - start)))
    if (cut.host === chunk) out += out && at > cut.start ? `\n${cut.edit.text}` : cut.edit.text
    at = Math.max(at, cut.end)
  }
  return joined(out, chunk.text.slice(at - start)).trim()
}

/** What stood around a cut is not left with the white space of both sides. */
function joined(before: string, after: string): string {
  return /^\s/.test(after) ? before.trimEnd() + after : before + after
}

/** The parent between the nearest cuts before and after; never less than the chunk itself. */
function without(cuts: readonly Span[], { locator, parent }: Chunk): Chunk['parent'] {
  let { start, end } = parent
  for (const cut of cuts) {
    if (cut.start <= locator.start && cut.end >= locator.end) continue // the chunk itself
    if (cut.start < locator.start) start = Math.max(start, Math.min(cut.end, locator.start))
    else end = Math.min(end, Math.max(cut.start, locator.end))
  }
  return { start, end, text: parent.text.slice(start - parent.start, end - parent.start) }
}

function overlap(a: Span, b: Span): boolean {
  return a.start < b.end && b.start < a.end
}

function hashOf(header: string, text: string): string {
  return createHash('sha256').update(embedText({ header, text })).digest('hex')
}
