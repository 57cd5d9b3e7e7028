import { writtenIn } from '@docent/core/text/language'
import type { IndexedChunk } from '@docent/corpus/corpus'
import { type Claims, createClaims, KEY_BYTES, keyOf } from './claims.ts'
import {
  createLexicalIndex,
  type LexicalHit,
  type LexicalIndex,
  type LexicalParts,
  type Meaning,
  type Search,
  type WeightedTerm,
} from './lexical-index.ts'
import { type PackedTexts, packTexts } from './packed-texts.ts'
import type { Fields } from './term-reader.ts'
import { grown } from './term-table.ts'

export type { Meaning }
export type Language = 'zh' | 'en'
export type HeldDocument = Pick<
  IndexedChunk,
  'documentId' | 'version' | 'path' | 'collection' | 'readers' | 'mediaType' | 'language' | 'title'
> & {
  modifiedAt: number
}
export type HeldChunk = Pick<IndexedChunk, 'id' | 'ordinal' | 'header' | 'page' | 'place' | 'start' | 'end' | 'textHash'> & {
  document: HeldDocument
  heading: string
  /** of this text; a document may hold both */
  written: Language
  /** made anew at each reading: the text itself lies packed, outside the heap */
  readonly text: string
}

/** Which documents a caller may read; callers with the same `key` may read the same. */
export type Rights = { key: string; mayRead(document: Pick<HeldDocument, 'collection' | 'readers'>): boolean }

/** What a search may know of the words: of documents that its caller may not read neither scores nor frequencies tell anything. */
export type Words = Pick<Search, 'size' | 'idf' | 'frequency'> & {
  search(terms: readonly WeightedTerm[], limit: number, allowed?: (chunk: HeldChunk) => boolean): { chunk: HeldChunk; score: number }[]
  /** among the chunks that are written in `language`; `total` and `known` as of the lexical index */
  searchMeanings(
    meanings: readonly Meaning[],
    language: Language,
    limit: number,
    allowed?: (chunk: HeldChunk) => boolean,
  ): { hits: { chunk: HeldChunk; score: number }[]; total: number; known: number }
}

/** `keys`: of each chunk by number, `KEY_BYTES` each */
export type Snapshot = { keys: Uint8Array; lexical: LexicalParts }

/** The active chunks in memory: their texts, and the lexical index over them. */
export type ChunkIndex = {
  readonly size: number
  readonly lexical: Pick<LexicalIndex, 'bytes'>
  replace(documentId: string, chunks: readonly IndexedChunk[]): void
  /** how often something was replaced so far */
  readonly changes: number
  /** the lexical index as it lies in memory, and what each of its chunks is known by again */
  snapshot(): Snapshot
  /** while nothing is held: what comes then and was in the snapshot is not read again */
  adopt(snapshot: Snapshot): void
  /** when all has come: the rest of the snapshot is gone. Returns how many chunks came from it, and how many were left. */
  settle(): { reused: number; left: number }
  byId(chunkId: string): HeldChunk | undefined
  all(): Iterable<HeldChunk>
  documents(): string[]
  count(language: Language): number
  /** whether some document is not for everyone */
  readonly isRestricted: boolean
  /** the words as one with these rights sees them; without rights all of them */
  seenBy(rights: Rights | undefined): Words
}

// rebuilding costs about a second per 50,000 chunks, so not for every change
const MIN_DEAD = 2_000
// readers of so many kinds at once; each costs 4 bytes a chunk
const MOST_KINDS = 8

/** A class for its getter alone: 50,000 objects share it. */
class Held implements HeldChunk {
  readonly id: string
  readonly ordinal: number
  readonly header: string
  readonly page: number | null
  readonly place: HeldChunk['place']
  readonly start: number
  readonly end: number
  readonly textHash: string
  readonly document: HeldDocument
  readonly heading: string
  readonly written: Language
  readonly #texts: PackedTexts
  readonly #nth: number

  constructor(facts: Omit<HeldChunk, 'text'>, texts: PackedTexts, nth: number) {
    this.id = facts.id
    this.ordinal = facts.ordinal
    this.header = facts.header
    this.page = facts.page
    this.place = facts.place
    this.start = facts.start
    this.end = facts.end
    this.textHash = facts.textHash
    this.document = facts.document
    this.heading = facts.heading
    this.written = facts.written
    this.#texts = texts
    this.#nth = nth
  }
  get text(): string {
    return this.#texts.at(this.#nth)
  }
}

export function createChunkIndex(): ChunkIndex {
  const lexical = createLexicalIndex()
  let held: (HeldChunk | undefined)[] = []
  const numberOf = new Map<string, number>()
  let ofDocument = new Map<string, number[]>()
  const counts = { zh: 0, en: 0 }
  const restricted = new Set<string>()
  let keys: Uint8Array = new Uint8Array(KEY_BYTES << 10) // of what each chunk says, by number
  let changes = 0
  let claims: Claims | undefined
  const all = wordsOf(lexical)
  const partial = new Map<string, Words>() // by rights; until the next change

  /** The chunk's number: that of one with the same words in an adopted index, or a new one. */
  function take({ textHash, header, text, path }: IndexedChunk): number {
    const key = keyOf(textHash, path)
    const known = claims?.take(key)
    if (known !== undefined) lexical.claim(known)
    const number = known ?? lexical.add({ header, text, path })
    if ((number + 1) * KEY_BYTES > keys.length) keys = grown(keys)
    keys.set(Buffer.from(key, 'latin1'), number * KEY_BYTES)
    return number
  }

  function drop(documentId: string): void {
    for (const number of ofDocument.get(documentId) ?? []) {
      const chunk = held[number]!
      lexical.remove(number, fieldsOf(chunk))
      if (numberOf.get(chunk.id) === number) numberOf.delete(chunk.id)
      counts[chunk.written]--
      held[number] = undefined
      keys.fill(0, number * KEY_BYTES, (number + 1) * KEY_BYTES)
    }
    ofDocument.delete(documentId)
    restricted.delete(documentId)
  }

  function compact(): void {
    const before = held
    held = []
    ofDocument = new Map()
    lexical.compact((from, to) => {
      const chunk = before[from]!
      held[to] = chunk
      keys.copyWithin(to * KEY_BYTES, from * KEY_BYTES, (from + 1) * KEY_BYTES)
      numberOf.set(chunk.id, to)
      const numbers = ofDocument.get(chunk.document.documentId)
      if (numbers) numbers.push(to)
      else ofDocument.set(chunk.document.documentId, [to])
    })
  }

  function wordsOf(words: Search): Words {
    const hitsOf = (hits: readonly LexicalHit[]) => hits.map(({ chunk, score }) => ({ chunk: held[chunk]!, score }))
    return {
      get size() {
        return words.size
      },
      idf: words.idf,
      frequency: words.frequency,
      search: (terms, limit, allowed) => hitsOf(words.search(terms, limit, allowed && ((number) => allowed(held[number]!)))),
      searchMeanings(meanings, language, limit, allowed) {
        const isWanted = (number: number) => held[number]!.written === language && (!allowed || allowed(held[number]!))
        const { hits, ...rest } = words.searchMeanings(meanings, limit, isWanted)
        return { hits: hitsOf(hits), ...rest }
      },
    }
  }

  return {
    get size() {
      return lexical.size
    },
    get isRestricted() {
      return restricted.size > 0
    },
    lexical,
    get changes() {
      return changes
    },

    snapshot: () => ({ keys: keys.subarray(0, held.length * KEY_BYTES), lexical: lexical.parts() }),
    adopt(snapshot) {
      claims = createClaims(snapshot.keys)
      held = new Array(snapshot.lexical.lengths.length).fill(undefined)
      keys = new Uint8Array(snapshot.keys.length + KEY_BYTES)
      lexical.adopt(snapshot.lexical)
    },
    settle() {
      const { taken: reused = 0, left = 0 } = claims ?? {}
      if (left > 0) lexical.recount()
      claims = undefined
      partial.clear()
      return { reused, left }
    },

    replace(documentId, chunks) {
      changes++
      partial.clear()
      drop(documentId)
      const first = chunks[0]
      if (first) {
        const { version, path, collection, readers, mediaType, language, title } = first
        const document = {
          documentId,
          version,
          path,
          collection,
          readers,
          mediaType,
          language,
          title,
          modifiedAt: first.modifiedAt.getTime(),
        }
        const numbers: number[] = []
        const texts = packTexts(chunks.map((chunk) => chunk.text))
        let header = ''
        let heading = ''
        chunks.forEach((row, nth) => {
          // neighbours share one string
          if (row.header !== header) header = row.header
          const joined = row.heading.join(' › ')
          if (joined !== heading) heading = joined
          const { id, ordinal, text, page, place, start, end, textHash } = row
          const written = writtenIn(text)
          const number = take(row)
          held[number] = new Held({ id, ordinal, header, page, place, start, end, textHash, document, heading, written }, texts, nth)
          numberOf.set(id, number)
          counts[written]++
          numbers.push(number)
        })
        ofDocument.set(documentId, numbers)
        if (readers) restricted.add(documentId)
      }
      if (!claims && lexical.dead > Math.max(MIN_DEAD, lexical.size / 2)) compact()
    },

    byId(chunkId) {
      const number = numberOf.get(chunkId)
      return number === undefined ? undefined : held[number]
    },
    *all() {
      for (const chunk of held) if (chunk) yield chunk
    },
    documents: () => [...ofDocument.keys()],
    count: (language) => counts[language],
    seenBy(rights) {
      if (!rights) return all
      const known = partial.get(rights.key)
      if (known) return known
      const hidden: number[] = []
      for (const numbers of ofDocument.values()) if (!rights.mayRead(held[numbers[0]!]!.document)) hidden.push(...numbers)
      const seen = hidden.length === 0 ? all : wordsOf(lexical.without(hidden))
      if (partial.size >= MOST_KINDS) partial.delete(partial.keys().next().value!)
      partial.set(rights.key, seen)
      return seen
    },
  }
}

function fieldsOf(chunk: HeldChunk): Fields {
  return { header: chunk.header, text: chunk.text, path: chunk.document.path }
}
