import { AppError } from '@docent/core/errors'
import { ChromaClient, ChromaConnectionError, ChromaNotFoundError, type Collection } from 'chromadb'
import type { Generation } from './corpus.ts'

const SPACE = 'cosine'
/** 2: a collection per language; 3: a graph of more links. One made before is built anew from Postgres by reconciling. */
const LAYOUT = 3

export type Language = 'zh' | 'en'
export const languages: readonly Language[] = ['zh', 'en']

export class OtherLayout extends Error {
  override readonly name = 'OtherLayout'
}
// on disk only after so many writes: a power cut in between loses nothing that Postgres does not bring back
const SYNC_THRESHOLD = 100_000
/** With Chroma's own (16, 100, 100) one vector in a hundred of a small folder is linked from nowhere: no search of whatever breadth finds it. */
const GRAPH = { max_neighbors: 64, ef_construction: 200, ef_search: 200 }

export type Chroma = {
  /** the generation's collection of a language, made when it is missing; `signal` ends the requests made through it */
  open(generation: Generation, language: Language, signal: AbortSignal): Promise<Collection>
  /** as it is: nothing is made, undefined when there is none */
  find(generation: Generation, language: Language, signal: AbortSignal): Promise<Collection | undefined>
  drop(generation: Generation, signal: AbortSignal): Promise<void>
  /** its collections are no longer those that were opened */
  forget(generation: Generation): void
}

/** Chroma's client has no time limits: one client per call carries the signal, the collection's id is kept. */
export function openChroma(url: string): Chroma {
  const { hostname, port, protocol } = new URL(url)
  const ids = new Map<string, string>()
  const client = (signal: AbortSignal) =>
    new ChromaClient({
      host: hostname,
      port: Number(port) || (protocol === 'https:' ? 443 : 80),
      ssl: protocol === 'https:',
      tenant: 'default_tenant',
      database: 'default_database',
      fetchOptions: { signal },
    })

  return {
    async open(generation, language, signal) {
      const name = nameOf(generation, language)
      const known = ids.get(name)
      if (known) return client(signal).collection(known)
      const collection = await client(signal).getOrCreateCollection({
        name,
        embeddingFunction: null,
        configuration: { hnsw: { space: SPACE, sync_threshold: SYNC_THRESHOLD, ...GRAPH } },
        metadata: { model: generation.model, dimension: generation.dimension, space: SPACE, layout: LAYOUT },
      })
      refuseMismatch(collection, generation)
      ids.set(name, collection.id)
      return collection
    },
    find: (generation, language, signal) =>
      client(signal)
        .getCollection({ name: nameOf(generation, language) })
        .catch((error: unknown) => {
          if (error instanceof ChromaNotFoundError) return undefined
          throw error
        }),
    async drop(generation, signal) {
      for (const language of languages) {
        ids.delete(nameOf(generation, language))
        await client(signal)
          .deleteCollection({ name: nameOf(generation, language) })
          .catch((error: unknown) => {
            if (!(error instanceof ChromaNotFoundError)) throw error
          })
      }
    },
    forget(generation) {
      for (const language of languages) ids.delete(nameOf(generation, language))
    },
  }
}

/** A collection per language: a `where` over half of 30,000 vectors took 50 ms and more, a collection of its own 5. */
function nameOf({ chromaCollection }: Generation, language: Language): string {
  return language === 'en' ? chromaCollection : `${chromaCollection}-${language}`
}

/** getOrCreateCollection keeps an older configuration without a word. */
function refuseMismatch(collection: Collection, { chromaCollection, model, dimension }: Generation): void {
  const made = collection.metadata ?? {}
  const space = collection.configuration?.hnsw?.space ?? made.space
  if (made.model === model && made.dimension === dimension && space === SPACE) {
    if (made.layout !== LAYOUT) throw new OtherLayout(`${chromaCollection} was laid out by an earlier version; it is being rebuilt.`)
    return
  }
  throw new AppError(
    'conflict',
    `The Chroma collection ${chromaCollection} was made for ${String(made.model)} (${String(made.dimension)}, ${String(space)}), not for ${model} (${dimension}, ${SPACE}).`,
  )
}

/** Anything but our own refusals: a cache that errs is a cache that is down. */
export function isChromaOutage(error: unknown): boolean {
  return error instanceof ChromaConnectionError || !(error instanceof AppError)
}
