import { AppError } from '@docent/core/errors'
import { Late } from '@docent/core/within'
import { ChromaClient, ChromaConnectionError, ChromaNotFoundError, type Collection, type Where } from 'chromadb'
import { z } from 'zod'
import type { Generation } from './corpus.ts'

const SPACE = 'cosine'
/** 2: a collection per language; 3: a graph of more links; 4: a text once a document. One made before is built anew from Postgres by reconciling. */
const LAYOUT = 4

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
  /** The ids nearest to a vector and their distances. What each search does goes past the client, which costs more than the rest of the request. */
  nearest(collection: Collection, asked: NearestQuestion, signal: AbortSignal): Promise<{ ids: string[]; distances: (number | null)[] }>
  drop(generation: Generation, signal: AbortSignal): Promise<void>
  /** its collections are no longer those that were opened */
  forget(generation: Generation): void
}

export type NearestQuestion = { vector: Float32Array; limit: number; where?: Where | undefined }
/** a body is sent as text and read as JSON: `fetch` itself, or one that costs less */
export type ChromaOptions = { url: string; fetch?: typeof globalThis.fetch }

const TENANT = 'default_tenant'
const DATABASE = 'default_database'
const found = z.object({ ids: z.array(z.array(z.string())), distances: z.array(z.array(z.number().nullable())).nullish() })
const REASON = 500 // characters of what Chroma says went wrong

/** Chroma's client has no time limits: one client per call carries the signal, the collection's id is kept. */
export function openChroma({ url, fetch = globalThis.fetch }: ChromaOptions): Chroma {
  const { hostname, port, protocol } = new URL(url)
  const collections = `${url.replace(/\/+$/, '')}/api/v2/tenants/${TENANT}/databases/${DATABASE}/collections`
  const ids = new Map<string, string>()
  // both collections are asked with the same 384 numbers, which are most of what is sent
  let last: { vector: Float32Array; numbers: string } | undefined
  const numbersOf = (vector: Float32Array) => {
    if (last?.vector !== vector) last = { vector, numbers: JSON.stringify([...vector]) }
    return last.numbers
  }
  const client = (signal: AbortSignal) =>
    new ChromaClient({
      host: hostname,
      port: Number(port) || (protocol === 'https:' ? 443 : 80),
      ssl: protocol === 'https:',
      tenant: TENANT,
      database: DATABASE,
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
    async nearest({ id }, { vector, limit, where }, signal) {
      const rest = JSON.stringify({ n_results: limit, include: ['distances'], where })
      const body = `{"query_embeddings":[${numbersOf(vector)}],${rest.slice(1)}`
      const headers = { 'content-type': 'application/json' }
      const response = await fetch(`${collections}/${id}/query`, { method: 'POST', headers, body, signal })
      const text = await response.text()
      if (response.status === 404) throw new ChromaNotFoundError('The collection is not there.')
      if (!response.ok) throw new Error(`Chroma answered ${response.status}: ${text.slice(0, REASON)}`)
      const { ids, distances } = found.parse(JSON.parse(text))
      return { ids: ids[0] ?? [], distances: distances?.[0] ?? [] }
    },
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

/** It did not answer, at all or in time: what it holds is not known. */
export function isSilent(error: unknown): boolean {
  return (
    error instanceof ChromaConnectionError ||
    error instanceof Late ||
    (error instanceof Error && ['TimeoutError', 'AbortError'].includes(error.name))
  )
}
