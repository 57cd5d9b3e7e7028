/** vocab.bin: SentencePiece-unigram pieces with scores, and the per-code-point normalisation map; layout in model/README.md. */
export type Vocabulary = {
  /** token id and score of each piece */
  ids: Int32Array
  scores: Float32Array
  unknownScore: number
  begin: number
  end: number
  unknown: number
  /** code point → symbol (0: no piece has it), below U+10000 and above */
  symbols: Uint16Array
  astralSymbols: ReadonlyMap<number, number>
  replacements: ReadonlyMap<number, readonly number[]>
  trie: Trie
}

/** Nodes keyed by (parent, symbol) in one open-addressed hash table; node 0 is the root. */
export type Trie = { slots: Int32Array; parents: Int32Array; nodeSymbols: Uint16Array; pieces: Int32Array }

const MAGIC = 0x55505344 // "DSPU"
/** XLM-R's 250,000 pieces make 505,000 nodes: the table stays less than half full. */
export const SLOT_MASK = (1 << 20) - 1

export function slotOf(node: number, symbol: number): number {
  const mixed = Math.imul(node, 0x9e3779b1) ^ Math.imul(symbol, 0x85ebca6b)
  return (mixed ^ (mixed >>> 15)) & SLOT_MASK
}

/** The child of `node` by `symbol`, or 0. */
export function childOf({ slots, parents, nodeSymbols }: Trie, node: number, symbol: number): number {
  for (let slot = slotOf(node, symbol); ; slot = (slot + 1) & SLOT_MASK) {
    const child = slots[slot]!
    if (child === 0 || (parents[child] === node && nodeSymbols[child] === symbol)) return child
  }
}

/** Parses vocab.bin into tables on shared memory, so that worker threads use them without a copy. */
export function readVocabulary(file: Uint8Array): Vocabulary {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength)
  if (file.byteLength < 52 || view.getUint32(0, true) !== MAGIC || view.getUint32(4, true) !== 1)
    throw new Error('vocab.bin is not a vocabulary of version 1')
  const header = (index: number) => view.getUint32(8 + 4 * index, true)
  const count = header(0)
  const ids = shared(Int32Array, count)
  const scores = shared(Float32Array, count)
  let at = 52
  for (let i = 0; i < count; i++) ids[i] = view.getUint32(at + 4 * i, true)
  at += 4 * count
  for (let i = 0; i < count; i++) scores[i] = view.getFloat32(at + 4 * i, true)
  at += 4 * count
  const piecesLength = header(7)
  const grown = growTrie(file.subarray(at, at + piecesLength), count)
  at += (piecesLength + 3) & ~3
  const replacements = new Map<number, number[]>()
  for (let i = header(8); i > 0; i--) {
    const codePoint = view.getUint32(at, true)
    const length = view.getUint8(at + 4)
    at += 5
    replacements.set(
      codePoint,
      Array.from({ length }, (_, j) => view.getUint32(at + 4 * j, true)),
    )
    at += 4 * length
  }
  return {
    ids,
    scores,
    unknownScore: view.getFloat32(48, true),
    begin: header(2),
    end: header(4),
    unknown: header(5),
    replacements,
    ...grown,
  }
}

type TypedArray = Int32Array | Float32Array | Uint16Array
type ArrayType<T extends TypedArray> = { new (buffer: SharedArrayBuffer): T; BYTES_PER_ELEMENT: number }

function shared<T extends TypedArray>(type: ArrayType<T>, length: number): T {
  return new type(new SharedArrayBuffer(length * type.BYTES_PER_ELEMENT))
}

/** The pieces are sorted by their UTF-8 bytes and front-coded: each says how many bytes it shares with the one before. */
function growTrie(coded: Uint8Array, count: number): Pick<Vocabulary, 'trie' | 'symbols' | 'astralSymbols'> {
  const symbols = shared(Uint16Array, 0x10000)
  const astralSymbols = new Map<number, number>()
  let symbolCount = 0
  const capacity = countNodes(coded, count)
  const slots = shared(Int32Array, SLOT_MASK + 1)
  const parents = shared(Int32Array, capacity)
  const nodeSymbols = shared(Uint16Array, capacity)
  const pieces = shared(Int32Array, capacity).fill(-1)
  if (capacity > SLOT_MASK) throw new Error('vocab.bin has more pieces than the table has room for')
  const trie = { slots, parents, nodeSymbols, pieces }
  let nodes = 1
  const piece = new Uint8Array(512)
  const nodeAfter = new Int32Array(513) // the node reached after so many bytes of the current piece

  function symbolOf(codePoint: number): number {
    if (codePoint < 0x10000) return (symbols[codePoint] ||= ++symbolCount)
    const known = astralSymbols.get(codePoint)
    if (known) return known
    astralSymbols.set(codePoint, ++symbolCount)
    return symbolCount
  }

  let at = 0
  for (let index = 0; index < count; index++) {
    const kept = coded[at]!
    const added = coded[at + 1]!
    piece.set(coded.subarray(at + 2, at + 2 + added), kept)
    at += 2 + added
    let from = kept
    while (from > 0 && (piece[from]! & 0xc0) === 0x80) from-- // back to the start of a character
    let node = nodeAfter[from]!
    for (const length = kept + added; from < length; ) {
      const [codePoint, width] = decode(piece, from)
      from += width
      const symbol = symbolOf(codePoint)
      let child = childOf(trie, node, symbol)
      if (child === 0) {
        child = nodes++
        let slot = slotOf(node, symbol)
        while (slots[slot] !== 0) slot = (slot + 1) & SLOT_MASK
        slots[slot] = child
        parents[child] = node
        nodeSymbols[child] = symbol
      }
      node = child
      nodeAfter[from] = child
    }
    pieces[node] = index
  }
  return { symbols, astralSymbols, trie }
}

/** An upper bound: each piece adds the characters that begin in its suffix, and the one its suffix may begin within. */
function countNodes(coded: Uint8Array, count: number): number {
  let nodes = 1 + count
  for (let index = 0, at = 0; index < count; index++) {
    const end = at + 2 + coded[at + 1]!
    for (at += 2; at < end; at++) if ((coded[at]! & 0xc0) !== 0x80) nodes++
  }
  return nodes
}

function decode(bytes: Uint8Array, at: number): [codePoint: number, width: number] {
  const first = bytes[at]!
  const tail = (offset: number) => bytes[at + offset]! & 0x3f
  if (first < 0x80) return [first, 1]
  if (first < 0xe0) return [((first & 0x1f) << 6) | tail(1), 2]
  if (first < 0xf0) return [((first & 0x0f) << 12) | (tail(1) << 6) | tail(2), 3]
  return [((first & 0x07) << 18) | (tail(1) << 12) | (tail(2) << 6) | tail(3), 4]
}
