/**
 * Texts of one document outside the heap, which is small beside the index: one byte a character where that is enough, else two.
 * A document's texts come and go together, so nothing is ever compacted.
 */
export type PackedTexts = { at(place: number): string }

export function packTexts(texts: readonly string[]): PackedTexts {
  const encodings = texts.map((text) => (isLatin1(text) ? 'latin1' : 'utf16le'))
  const ends = new Uint32Array(texts.length)
  let size = 0
  texts.forEach((text, i) => {
    size += encodings[i] === 'latin1' ? text.length : text.length * 2
    ends[i] = size
  })
  const bytes = Buffer.allocUnsafeSlow(size)
  const startOf = (place: number) => (place === 0 ? 0 : ends[place - 1]!)
  texts.forEach((text, i) => void bytes.write(text, startOf(i), encodings[i]))
  const wide = new Uint8Array(encodings.map((encoding) => (encoding === 'utf16le' ? 1 : 0)))
  return {
    at: (place) => bytes.toString(wide[place] ? 'utf16le' : 'latin1', startOf(place), ends[place]),
  }
}

function isLatin1(text: string): boolean {
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) > 255) return false
  return true
}
