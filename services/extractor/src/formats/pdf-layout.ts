import type { PdfLine, PdfPage } from './pdf-lines.ts'

/** What is usual in this document: headings and paragraph ends are what departs from it. */
export type Layout = {
  bodySize: number
  /** Usual distance of two lines of one paragraph, in sizes. */
  pitch: number
  repeated: ReadonlySet<string>
  keyOf(line: PdfLine): string
  levelOf(line: PdfLine): number | undefined
}

const MARGIN = 0.12

export function measureLayout(pages: readonly PdfPage[]): Layout {
  const bodySize = commonSize(pages)
  const isBodyBold = boldShare(pages) > 0.5
  const isHeading = (line: PdfLine) => isHeadingLike(line, bodySize, isBodyBold)
  const levels = headingLevels(pages.flatMap((page) => page.lines.filter(isHeading).map((line) => halfPoints(line.size))))
  // Chapter titles that differ only in their number are headings, not a running header.
  const keyOf = (line: PdfLine) => (isHeading(line) ? line.text.replace(/\s+/g, '') : fold(line.text))
  return {
    bodySize,
    keyOf,
    pitch: commonPitch(pages, bodySize),
    repeated: repeatedLines(pages, keyOf),
    levelOf: (line) => (isHeading(line) ? levels.get(halfPoints(line.size)) : undefined),
  }
}

export function isRepeated(page: PdfPage, line: PdfLine, layout: Layout): boolean {
  return layout.repeated.size > 0 && isEdge(page, line) && layout.repeated.has(layout.keyOf(line))
}

/** The size most characters have is the body's; sizes are compared in half points. */
function commonSize(pages: readonly PdfPage[]): number {
  const chars = new Map<number, number>()
  for (const page of pages)
    for (const line of page.lines) chars.set(halfPoints(line.size), (chars.get(halfPoints(line.size)) ?? 0) + line.text.length)
  return mostCommon(chars) / 2
}

function commonPitch(pages: readonly PdfPage[], bodySize: number): number {
  const counts = new Map<number, number>()
  for (const { lines } of pages) {
    for (const [i, line] of lines.entries()) {
      const next = lines[i + 1]
      if (!next || Math.abs(line.size - bodySize) > 0.6 || Math.abs(next.size - bodySize) > 0.6) continue
      const pitch = Math.round(((next.top - line.top) / bodySize) * 10)
      if (pitch > 8 && pitch < 25) counts.set(pitch, (counts.get(pitch) ?? 0) + 1)
    }
  }
  return counts.size === 0 ? 1.5 : mostCommon(counts) / 10
}

function mostCommon(counts: ReadonlyMap<number, number>): number {
  return [...counts].reduce((best, next) => (next[1] > best[1] ? next : best), [0, 0])[0]
}

function boldShare(pages: readonly PdfPage[]): number {
  let all = 0
  let bold = 0
  for (const page of pages) {
    for (const line of page.lines) {
      all += line.text.length
      if (line.bold) bold += line.text.length
    }
  }
  return all === 0 ? 0 : bold / all
}

function isHeadingLike(line: PdfLine, bodySize: number, isBodyBold: boolean): boolean {
  const text = line.text.trim()
  const stands = line.size >= bodySize * 1.14 || (line.bold && !isBodyBold && line.size >= bodySize * 0.98 && text.length <= 80)
  return stands && text.length <= 120 && /\p{L}/u.test(text) && !/[。；;，,：:]$/.test(text)
}

/** Larger first; bold only decides between equal sizes. */
/** Sizes a point apart are two levels; nearer ones are one, for a line of two scripts is set in two fonts. */
function headingLevels(sizes: readonly number[]): Map<number, number> {
  const levels = new Map<number, number>()
  let level = 0
  let top = Number.POSITIVE_INFINITY
  for (const size of [...new Set(sizes)].sort((a, b) => b - a)) {
    if (top - size >= 2) {
      level++
      top = size
    }
    levels.set(size, Math.min(level, 6))
  }
  return levels
}

function halfPoints(size: number): number {
  return Math.round(size * 2)
}

/** What stands at the edge of most pages, apart from its digits, is a running header, footer or page number. */
function repeatedLines(pages: readonly PdfPage[], keyOf: (line: PdfLine) => string): Set<string> {
  const counts = new Map<string, number>()
  for (const page of pages) {
    const edges = new Set(page.lines.filter((line) => isEdge(page, line)).map(keyOf))
    for (const text of edges) counts.set(text, (counts.get(text) ?? 0) + 1)
  }
  const isRunning = (text: string, count: number) => count > pages.length * 0.5 && (count >= 3 || (count === 2 && text.includes('#')))
  const running = new Set([...counts].filter(([text, count]) => isRunning(text, count)).map(([text]) => text))
  const runningLines = pages.flatMap((page) => page.lines.filter((line) => isEdge(page, line) && running.has(keyOf(line)))).length
  // Where hardly anything else is printed, that is the text.
  return runningLines > pages.reduce((sum, page) => sum + page.lines.length, 0) / 2 ? new Set() : running
}

/** First in the upper margin or last in the lower one; on a short page the second line is already its text. */
function isEdge({ lines, height }: PdfPage, line: PdfLine): boolean {
  const isLong = lines.length > 12
  const isFirst = line === lines[0] || (isLong && line === lines[1])
  const isLast = line === lines.at(-1) || (isLong && line === lines.at(-2))
  return (isFirst && line.top < height * MARGIN) || (isLast && line.top > height * (1 - MARGIN))
}

function fold(text: string): string {
  return text.replace(/\d+/g, '#').replace(/\s+/g, '')
}
