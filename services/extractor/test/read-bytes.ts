import { extract } from '../src/extract.ts'
import type { Extracted } from '../src/types.ts'

/** The reader itself, in this process: for what does not need the child around it. */
export async function readBytes(path: string, content: string | Uint8Array): Promise<Extracted> {
  const bytes = Buffer.from(content)
  return extract(bytes, { path, size: bytes.length, maxOutputBytes: 20_000_000 })
}

/** `kind` and level, place, heading path and text of each block. */
export function outlineOf(document: Extracted): string[] {
  return document.blocks.map(({ kind, level, text, heading, start: _start, end: _end, ...place }) => {
    const where = Object.entries(place).map(([name, value]) => ` ${name}=${value}`)
    return `${kind}${level ?? ''}${where.join('')} [${heading.join(' > ')}] ${text}`
  })
}

/** F1 of the characters of two texts, each counted as often as it stands there; white space does not count. */
export function characterF1(found: string, truth: string): number {
  const [a, b] = [countsOf(found), countsOf(truth)]
  let common = 0
  for (const [char, n] of a.counts) common += Math.min(n, b.counts.get(char) ?? 0)
  return (2 * common) / (a.total + b.total)
}

function countsOf(text: string): { counts: Map<string, number>; total: number } {
  const chars = [...text.normalize('NFKC').replace(/\s+/g, '')]
  const counts = new Map<string, number>()
  for (const char of chars) counts.set(char, (counts.get(char) ?? 0) + 1)
  return { counts, total: chars.length }
}
