import { createHash } from 'node:crypto'
import { type Chunk, embedText } from '@docent/core/chunk'

export type Edit = { sourceHash: string; isDisabled: boolean; text: string | null }

/**
 * Chunks with the owner's edits: a disabled one stays listed but is not searched, an overridden one has the owner's text.
 * What was taken out or replaced must not come back through the section around its neighbours: their parents end before it.
 */
export function applyEdits(chunks: readonly Chunk[], edits: readonly Edit[]): Chunk[] {
  const byHash = new Map(edits.map((edit) => [edit.sourceHash, edit]))
  const edited = chunks.filter((chunk) => byHash.has(chunk.textHash))
  if (edited.length === 0) return [...chunks]
  return chunks.map((chunk) => {
    const edit = byHash.get(chunk.textHash)
    const rest = { ...chunk, parent: without(edited, chunk) }
    if (!edit) return rest
    if (edit.text === null) return { ...rest, isDisabled: edit.isDisabled }
    const { start, end } = chunk.locator
    return {
      ...chunk,
      text: edit.text,
      textHash: createHash('sha256')
        .update(embedText({ header: chunk.header, text: edit.text }))
        .digest('hex'),
      parent: { start, end, text: edit.text },
      isDisabled: edit.isDisabled,
      source: { hash: chunk.textHash, text: chunk.text },
    }
  })
}

/** The parent between the nearest edited chunks before and after; never less than the chunk itself. */
function without(edited: readonly Chunk[], { locator, parent, textHash }: Chunk): Chunk['parent'] {
  let { start, end } = parent
  for (const other of edited) {
    if (other.textHash === textHash) continue
    if (other.locator.start < locator.start) start = Math.max(start, Math.min(other.locator.end, locator.start))
    else end = Math.min(end, Math.max(other.locator.start, locator.end))
  }
  return { start, end, text: parent.text.slice(start - parent.start, end - parent.start) }
}
