import { createBuilder } from '../document-builder.ts'
import type { Extracted } from '../types.ts'

const BLOCK_CHARS = 480

/** A record a line, kept as written; a block is whole records and stands at their lines. */
export function extractJsonl(text: string, maxChars: number): Extracted {
  const builder = createBuilder(maxChars)
  let open: string[] = []
  let first = 0
  let last = 0
  let size = 0
  const flush = () => {
    builder.add('code', open.join('\n'), last > first ? { row: first, lastRow: last } : { row: first })
    open = []
    size = 0
  }
  for (const [i, line] of text.split('\n').entries()) {
    const record = line.trim()
    if (!record) continue
    if (open.length > 0 && size + record.length > BLOCK_CHARS) flush()
    if (open.length === 0) first = i + 1
    open.push(record)
    last = i + 1
    size += record.length + 1
  }
  if (open.length > 0) flush()
  return builder.build('application/jsonl')
}
