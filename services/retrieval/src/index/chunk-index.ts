import { writtenIn } from '@docent/core/text/language'
import type { IndexedChunk } from '@docent/corpus/corpus'
import { createLexicalIndex, type LexicalHit, type LexicalIndex, type Meaning, type WeightedTerm } from './lexical-index.ts'
import { type PackedTexts, packTexts } from './packed-texts.ts'
import type { Fields } from './term-reader.ts'

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

/** The active chunks in memory: their texts, and the lexical index over them. */
export type ChunkIndex = {
  readonly size: number
  readonly lexical: Pick<LexicalIndex, 'idf' | 'frequency' | 'bytes'>
  replace(documentId: string, chunks: readonly IndexedChunk[]): void
  byId(chunkId: string): HeldChunk | undefined
  all(): Iterable<HeldChunk>
  documents(): string[]
  count(language: Language): number
  /** whether some document is not for everyone */
  readonly isRestricted: boolean
  search(terms: readonly WeightedTerm[], limit: number, allowed?: (chunk: HeldChunk) => boolean): { chunk: HeldChunk; score: number }[]
  /** among the chunks that are written in `language`; `total` and `known` as of the lexical index */
  searchMeanings(
    meanings: readonly Meaning[],
    language: Language,
    limit: number,
    allowed?: (chunk: HeldChunk) => boolean,
  ): { hits: { chunk: HeldChunk; score: number }[]; total: number; known: number }
}

// rebuilding costs about a second per 50,000 chunks, so not for every change
const MIN_DEAD = 2_000

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

  function drop(documentId: string): void {
    for (const number of ofDocument.get(documentId) ?? []) {
      const chunk = held[number]!
      lexical.remove(number, fieldsOf(chunk))
      if (numberOf.get(chunk.id) === number) numberOf.delete(chunk.id)
      counts[chunk.written]--
      held[number] = undefined
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
      numberOf.set(chunk.id, to)
      const numbers = ofDocument.get(chunk.document.documentId)
      if (numbers) numbers.push(to)
      else ofDocument.set(chunk.document.documentId, [to])
    })
  }

  return {
    get size() {
      return lexical.size
    },
    get isRestricted() {
      return restricted.size > 0
    },
    lexical,

    replace(documentId, chunks) {
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
          const number = lexical.add({ header, text, path })
          held[number] = new Held({ id, ordinal, header, page, place, start, end, textHash, document, heading, written }, texts, nth)
          numberOf.set(id, number)
          counts[written]++
          numbers.push(number)
        })
        ofDocument.set(documentId, numbers)
        if (readers) restricted.add(documentId)
      }
      if (lexical.dead > Math.max(MIN_DEAD, lexical.size / 2)) compact()
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
    search(terms, limit, allowed) {
      const hits: LexicalHit[] = lexical.search(terms, limit, allowed && ((number) => allowed(held[number]!)))
      return hits.map(({ chunk, score }) => ({ chunk: held[chunk]!, score }))
    },
    searchMeanings(meanings, language, limit, allowed) {
      const isWanted = (number: number) => held[number]!.written === language && (!allowed || allowed(held[number]!))
      const { hits, ...rest } = lexical.searchMeanings(meanings, limit, isWanted)
      return { hits: hits.map(({ chunk, score }) => ({ chunk: held[chunk]!, score })), ...rest }
    },
  }
}

function fieldsOf(chunk: HeldChunk): Fields {
  return { header: chunk.header, text: chunk.text, path: chunk.document.path }
}
