import { placeOf } from '@docent/core/place'
import { clean } from './clean.ts'
import { ExtractFailure } from './failure.ts'
import type { Block, BlockKind, Extracted, Place } from './types.ts'

export type DocumentBuilder = {
  /** Blocks without visible text are left out. */
  add(kind: Exclude<BlockKind, 'heading'>, text: string, place?: Place): void
  heading(level: number, text: string, place?: Place): void
  /** What follows stands under no heading of what came before: a new slide, sheet or attachment. */
  leaveHeadings(): void
  /** The characters that still fit. */
  room(): number
  note(text: string): void
  build(mediaType: string, about?: { title?: string; pages?: number }): Extracted
}

/** Collects blocks and keeps the one promise of locators: every block is a slice of the whole text. */
export function createBuilder(maxChars: number): DocumentBuilder {
  const parts: string[] = []
  const blocks: Block[] = []
  const notes = new Set<string>()
  let path: { level: number; text: string }[] = []
  let length = 0
  let removedTotal = 0

  function push(kind: BlockKind, raw: string, place: Place | undefined, level?: number): void {
    const { text: cleaned, removed } = clean(raw)
    removedTotal += removed
    const text = kind === 'code' ? cleaned.replace(/^(?:[ \t]*\n)+/, '').trimEnd() : cleaned.trim()
    if (!text.trim()) return
    if (level !== undefined) path = [...path.filter((above) => above.level < level), { level, text }]
    if (blocks.length > 0) length += 2
    if (length + text.length > maxChars)
      throw new ExtractFailure('too_large', 'The document holds more text than one document may: split it into parts.')
    blocks.push({
      kind,
      ...(level === undefined ? {} : { level }),
      text,
      ...(place ? placeOf(place) : {}),
      heading: path.map((above) => above.text),
      start: length,
      end: length + text.length,
    })
    parts.push(text)
    length += text.length
  }

  return {
    add: (kind, text, place) => push(kind, text, place),
    heading: (level, text, place) => push('heading', text.replace(/\s+/g, ' ').slice(0, 300), place, level),
    leaveHeadings: () => void (path = []),
    room: () => Math.max(0, maxChars - length),
    note: (text) => void notes.add(text),
    build(mediaType, about = {}) {
      if (blocks.length === 0) throw new ExtractFailure('empty')
      if (removedTotal > 0) notes.add(`${removedTotal} invisible or control characters were removed`)
      const title = about.title ? clean(about.title).text.replace(/\s+/g, ' ').trim().slice(0, 300) : ''
      return {
        ...(title ? { title } : {}),
        mediaType,
        text: parts.join('\n\n'),
        blocks,
        ...(about.pages === undefined ? {} : { pages: about.pages }),
        notes: [...notes],
      }
    },
  }
}

/** The same document, every block of it standing at `place` as well. */
export function atPlace(builder: DocumentBuilder, place: Place): DocumentBuilder {
  return {
    ...builder,
    add: (kind, text, more) => builder.add(kind, text, { ...place, ...more }),
    heading: (level, text, more) => builder.heading(level, text, { ...place, ...more }),
  }
}

/** The line form every table takes: cells on one line, none able to pretend to be two. */
export function tableText(rows: readonly (readonly string[])[]): string {
  return rows
    .map((cells) => cells.map((cell) => cell.replace(/\s+/g, ' ').replaceAll('|', '/').trim()).join(' | '))
    .filter((line) => /[^\s|]/.test(line))
    .join('\n')
}
