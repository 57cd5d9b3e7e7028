import type { Passage } from '@docent/core/passage'
import { isSamePlace, spanPlace } from '@docent/core/place'

/**
 * Passages that touch or overlap within one section and page become one, at the place of the better: the prompt says nothing twice and a source is
 * not shown twice. The text stays exactly the document's from `start` to `end`, so only passages whose section is at hand are joined.
 * `joined` tells of each chunk that went into another the place, from 1, of the passage that holds it.
 */
export function joinNeighbours(
  passages: readonly Passage[],
  snippetOf: (text: string) => string,
): { passages: Passage[]; joined: Map<string, number> } {
  const out: Passage[] = []
  const joined = new Map<string, number>()
  for (const passage of passages) {
    let one = passage
    let at = out.length
    // a passage between two others brings all three together, at the best one's place
    for (let i = out.length - 1; i >= 0; i--) {
      if (!touch(out[i]!, one)) continue
      const other = out[i]!
      out.splice(i, 1)
      one = together(other, one, snippetOf)
      at = i
    }
    out.splice(at, 0, one)
  }
  for (const { chunkId } of passages) {
    if (out.some((one) => one.chunkId === chunkId)) continue
    const { start, end, documentId } = passages.find((one) => one.chunkId === chunkId)!
    joined.set(chunkId, out.findIndex((one) => one.documentId === documentId && one.start <= start && one.end >= end) + 1)
  }
  return { passages: out, joined }
}

function touch(a: Passage, b: Passage): boolean {
  if (a.documentId !== b.documentId || a.version !== b.version || a.heading !== b.heading || !isSamePlace(a, b)) return false
  if (a.parent.start !== b.parent.start || a.parent.end !== b.parent.end || !stands(a) || !stands(b)) return false
  const [first, second] = a.start <= b.start ? [a, b] : [b, a]
  // only space may lie between them
  return second.start <= first.end || sliceOf(a.parent, first.end, second.start).trim() === ''
}

function stands({ parent, start, end, text }: Passage): boolean {
  return sliceOf(parent, start, end) === text
}

function sliceOf(parent: Passage['parent'], start: number, end: number): string {
  return parent.text.slice(start - parent.start, end - parent.start)
}

/** `a` is the better one: its scores and its chunk stay. */
function together(a: Passage, b: Passage, snippetOf: (text: string) => string): Passage {
  const [first, last] = a.start <= b.start ? [a, b] : [b, a]
  const end = Math.max(a.end, b.end)
  const text = sliceOf(a.parent, first.start, end)
  return { ...a, ...spanPlace([first, last]), start: first.start, end, text, snippet: snippetOf(text) }
}
