import jschardet from 'jschardet'
import { commonHanzi } from './common-hanzi.ts'

export type Decoded = { text: string; encoding: string; note?: string }

const legacy = ['gb18030', 'big5', 'shift_jis', 'euc-jp', 'euc-kr', 'windows-1252'] as const
const SAMPLE_BYTES = 64 * 1024

/** Strict UTF-8, then a byte order mark, then whichever legacy charset yields the most ordinary text. */
export function decodeText(bytes: Uint8Array, declared?: string): Decoded {
  const marked = byMark(bytes)
  if (marked) return marked
  const utf16 = unmarkedUtf16(bytes)
  if (utf16) return { text: new TextDecoder(utf16).decode(bytes), encoding: utf16 }
  const strict = tryDecode('utf-8', bytes)
  if (strict !== undefined) return { text: strict, encoding: 'utf-8' }
  const damaged = damagedUtf8(bytes)
  if (damaged) return damaged
  const said = declared ? tryDecode(declared, bytes) : undefined
  if (said !== undefined && score(said) >= 0) return { text: said, encoding: declared!.toLowerCase() }

  const encoding = guessLegacy(bytes)
  const text = new TextDecoder(encoding).decode(bytes)
  const note = text.includes('\ufffd') ? `some characters could not be read as ${encoding}` : `read as ${encoding}`
  return { text, encoding, note }
}

/** NUL in a text file is rare dirt; many of them, or other control bytes, mean it is no text at all. */
export function looksBinary(bytes: Uint8Array): boolean {
  const sample = bytes.subarray(0, SAMPLE_BYTES)
  if (byMark(sample.subarray(0, 4)) || unmarkedUtf16(sample)) return false
  let odd = 0
  for (const byte of sample) if (byte < 0x09 || (byte > 0x0d && byte < 0x20 && byte !== 0x1b) || byte === 0x7f) odd++
  return odd > sample.length * 0.02 + 2
}

function byMark(bytes: Uint8Array): Decoded | undefined {
  const [a, b, c] = bytes
  if (a === 0xef && b === 0xbb && c === 0xbf) return { text: new TextDecoder('utf-8').decode(bytes), encoding: 'utf-8' }
  if (a === 0xff && b === 0xfe) return { text: new TextDecoder('utf-16le').decode(bytes), encoding: 'utf-16le' }
  if (a === 0xfe && b === 0xff) return { text: new TextDecoder('utf-16be').decode(bytes), encoding: 'utf-16be' }
  return undefined
}

function unmarkedUtf16(bytes: Uint8Array): 'utf-16le' | 'utf-16be' | undefined {
  const sample = bytes.subarray(0, 4096)
  if (sample.length < 4 || bytes.length % 2 !== 0) return undefined
  const zeros = [0, 0]
  for (const [i, byte] of sample.entries()) if (byte === 0) zeros[i % 2]!++
  const half = sample.length / 2
  if (zeros[1]! > half * 0.6 && zeros[0]! < half * 0.05) return 'utf-16le'
  if (zeros[0]! > half * 0.6 && zeros[1]! < half * 0.05) return 'utf-16be'
  return undefined
}

function tryDecode(encoding: string, bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder(encoding, { fatal: true }).decode(bytes)
  } catch (error) {
    if (error instanceof TypeError || error instanceof RangeError) return undefined
    throw error
  }
}

/** UTF-8 with a few bad bytes keeps most of its multi-byte characters; another charset keeps almost none. */
function damagedUtf8(bytes: Uint8Array): Decoded | undefined {
  const text = new TextDecoder('utf-8').decode(bytes)
  const bad = text.split('\ufffd').length - 1
  let good = 0
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) > 0x7f) good++
  good -= bad
  if (good < bad * 3) return undefined
  return { text, encoding: 'utf-8', note: `${bad} bytes are not valid UTF-8 and were replaced` }
}

function guessLegacy(bytes: Uint8Array): string {
  const sample = bytes.subarray(0, SAMPLE_BYTES)
  const hint = jschardet.detect(Buffer.from(sample))
  let best = 'windows-1252'
  let bestScore = -Infinity
  for (const encoding of legacy) {
    const points = score(new TextDecoder(encoding).decode(sample)) + (sameCharset(hint.encoding, encoding) ? hint.confidence * 0.15 : 0)
    if (points > bestScore) [best, bestScore] = [encoding, points]
  }
  return best
}

function sameCharset(name: string | null, encoding: string): boolean {
  const plain = (name ?? '').toLowerCase().replace(/[^a-z0-9]/g, '')
  return plain === encoding.replace(/[^a-z0-9]/g, '') || (encoding === 'gb18030' && plain.startsWith('gb'))
}

/** How ordinary a text looks, per character outside ASCII: common characters count for it, oddities against it. */
function score(text: string): number {
  let total = 0
  let points = 0
  for (const char of text) {
    const code = char.codePointAt(0)!
    if (code < 0x80) continue
    total++
    if (code === 0xfffd || (code >= 0xe000 && code < 0xf900) || (code >= 0x80 && code < 0xa0)) points -= 6
    else if (commonHanzi.has(char)) points += 1
    else if (code >= 0x3041 && code <= 0x30fe) points += 0.95
    else if (code >= 0xff61 && code <= 0xff9f) points -= 0.5
    else if ((code >= 0x3000 && code <= 0x3020) || (code >= 0xff01 && code <= 0xff5e) || '“”‘’—…·'.includes(char)) points += 0.6
    else if (code >= 0xac00 && code <= 0xd7a3) points += 0.55
    else if (code >= 0x4e00 && code <= 0x9fff) points += 0.1
    else if (/\p{Script=Latin}/u.test(char)) points += 0.3
    else points -= 0.4
  }
  return total === 0 ? 0 : points / total
}
