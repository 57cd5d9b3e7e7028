import type { PdfCharacter } from './pdf-characters.ts'

export type Region = { left: number; right: number; top: number; bottom: number }

export type Rereader = {
  /** `text` with each character as the file itself says it; undefined where the two readers saw different glyphs there. */
  reread(text: string, region: Region): string | undefined
  /** Lines of what was never asked for. */
  missed(): PdfCharacter[][]
}

type Glyph = { at: number; x: number; y: number; character: PdfCharacter }

const unreadable = /[\ufffd\ue000-\uf8ff\0-\x1f]/
const BAND = 16

/**
 * Liteparse guesses characters from glyph outlines, and where a font is not embedded the outlines are another font's: “97” became “57”.
 * So it gives places only, and PDFium's characters at those places are what is kept.
 */
export function rereader(lines: readonly PdfCharacter[][]): Rereader {
  const bands = new Map<number, Glyph[]>()
  const asked = new Set<PdfCharacter>()
  for (const [at, character] of lines.flat().entries()) {
    const glyph = { at, x: (character.left + character.right) / 2, y: (character.top + character.bottom) / 2, character }
    if (!character.char.trim()) continue
    const band = Math.floor(glyph.y / BAND)
    const others = bands.get(band)
    if (others) others.push(glyph)
    else bands.set(band, [glyph])
  }
  const inside = ({ left, right, top, bottom }: Region) => {
    const found: Glyph[] = []
    for (let band = Math.floor(top / BAND); band <= Math.floor(bottom / BAND); band++) {
      for (const glyph of bands.get(band) ?? [])
        if (glyph.x >= left && glyph.x <= right && glyph.y >= top && glyph.y <= bottom) found.push(glyph)
    }
    return found.sort((a, b) => a.at - b.at).map(({ character }) => character)
  }
  return {
    reread(text, region) {
      const characters = inside(region)
      for (const character of characters) asked.add(character)
      return merged(
        text,
        characters.map(({ char }) => char),
      )
    },
    missed() {
      const hasMissed = (line: PdfCharacter[]) => line.some((character) => character.char.trim() && !asked.has(character))
      return lines.filter(hasMissed).map((line) => line.filter((character) => !character.char.trim() || !asked.has(character)))
    },
  }
}

/** Spaces are those of `text`; what PDFium cannot read stays as it was. */
function merged(text: string, glyphs: readonly string[]): string | undefined {
  const own = [...text].filter((char) => char.trim())
  const read = glyphs.flatMap((glyph) => [...glyph])
  if (own.length !== read.length) return own.join('').normalize('NFKC') === read.join('').normalize('NFKC') ? text : undefined
  let next = 0
  return [...text].map((char) => (char.trim() ? prefer(read[next++]!, char) : char)).join('')
}

function prefer(read: string, guessed: string): string {
  return unreadable.test(read) ? guessed : read
}

/** Letters and digits, sorted: pages that hold the same ones were read alike, whatever their order. */
export function lettersOf(text: string): string[] {
  return [...text.normalize('NFKC')].filter((char) => /[\p{L}\p{N}]/u.test(char)).sort()
}

export function isSame(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((char, i) => char === b[i])
}
