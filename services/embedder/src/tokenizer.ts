import { childOf, type Vocabulary } from './vocabulary.ts'

const SPACE = 0x20
const METASPACE = 0x2581
const REPLACEMENT = 0xfffd
/** 512 tokens never need more than 24,480 code points; what lies behind is not looked at. */
const MAX_CODE_POINTS = 32_768

/** What the model reads: `<s>`, at most `maxTokens` − 2 content ids, `</s>`. */
export function encode(vocabulary: Vocabulary, text: string, maxTokens = 512): number[] {
  return [vocabulary.begin, ...contentIds(vocabulary, text).slice(0, maxTokens - 2), vocabulary.end]
}

/** The ids of the best segmentation of the normalised text. */
export function contentIds(vocabulary: Vocabulary, text: string): number[] {
  return bestPieces(vocabulary, symbolsOf(vocabulary, text.normalize('NFC')))
}

/** Normalises code point by code point, collapses spaces and maps to symbols; 0 stands for what no piece contains. */
function symbolsOf({ symbols, astralSymbols, replacements }: Vocabulary, text: string): number[] {
  const metaspace = symbols[METASPACE]!
  const out = [metaspace]
  let afterSpace = true
  function put(codePoint: number): void {
    if (codePoint === SPACE) {
      if (!afterSpace) out.push(metaspace)
      afterSpace = true
      return
    }
    afterSpace = false
    out.push(codePoint < 0x10000 ? symbols[codePoint]! : (astralSymbols.get(codePoint) ?? 0))
  }
  for (let i = 0; i < text.length && out.length < MAX_CODE_POINTS; i++) {
    let codePoint = text.codePointAt(i)!
    if (codePoint > 0xffff) i++
    else if (codePoint === 0) continue
    else if ((codePoint & 0xf800) === 0xd800) codePoint = REPLACEMENT
    const replaced = replacements.get(codePoint)
    if (replaced) replaced.forEach(put)
    else put(codePoint)
  }
  return out
}

/** Viterbi, left to right, in float32 and replacing only what is strictly worse, as the vocabulary's own tokenizer does. */
function bestPieces({ trie, scores, ids, unknown, unknownScore }: Vocabulary, symbols: readonly number[]): number[] {
  const length = symbols.length
  const best = new Float32Array(length + 1).fill(-1e30)
  const pieceTo = new Int32Array(length + 1).fill(-1)
  const cameFrom = new Int32Array(length + 1)
  best[0] = 0
  for (let start = 0; start < length; start++) {
    const reached = best[start]!
    let node = 0
    for (let end = start; end < length; ) {
      const symbol = symbols[end]!
      node = symbol === 0 ? 0 : childOf(trie, node, symbol)
      if (node === 0) break
      end++
      const piece = trie.pieces[node]!
      if (piece < 0) continue
      const score = Math.fround(reached + scores[piece]!)
      if (score > best[end]!) {
        best[end] = score
        pieceTo[end] = piece
        cameFrom[end] = start
      }
    }
    const score = Math.fround(reached + unknownScore)
    if (score > best[start + 1]!) {
      best[start + 1] = score
      pieceTo[start + 1] = -1
      cameFrom[start + 1] = start
    }
  }
  const out: number[] = []
  for (let end = length; end > 0; end = cameFrom[end]!) out.push(pieceTo[end]! < 0 ? unknown : ids[pieceTo[end]!]!)
  return out.reverse()
}
