import { AppError } from '@docent/core/errors'
import { ChromaClient, ChromaConnectionError, ChromaNotFoundError, type Collection } from 'chromadb'
import type { Generation } from './corpus.ts'

const SPACE = 'cosine'
// on disk only after so many writes: a power cut in between loses nothing that Postgres does not bring back
const SYNC_THRESHOLD = 100_000

export type Chroma = {
  /** the generation's collection, made when it is missing; `signal` ends the requests made through it */
  open(generation: Generation, signal: AbortSignal): Promise<Collection>
  /** as it is: nothing is made, undefined when there is none */
  find(generation: Generation, signal: AbortSignal): Promise<Collection | undefined>
  drop(generation: Generation, signal: AbortSignal): Promise<void>
  /** its collection is no longer the one that was opened */
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
    async open(generation, signal) {
      const known = ids.get(generation.chromaCollection)
      if (known) return client(signal).collection(known)
      const collection = await client(signal).getOrCreateCollection({
        name: generation.chromaCollection,
        embeddingFunction: null,
        configuration: { hnsw: { space: SPACE, sync_threshold: SYNC_THRESHOLD } },
        metadata: { model: generation.model, dimension: generation.dimension, space: SPACE },
      })
      refuseMismatch(collection, generation)
      ids.set(generation.chromaCollection, collection.id)
      return collection
    },
    find: (generation, signal) =>
      client(signal)
        .getCollection({ name: generation.chromaCollection })
        .catch((error: unknown) => {
          if (error instanceof ChromaNotFoundError) return undefined
          throw error
        }),
    async drop(generation, signal) {
      ids.delete(generation.chromaCollection)
      await client(signal)
        .deleteCollection({ name: generation.chromaCollection })
        .catch((error: unknown) => {
          if (!(error instanceof ChromaNotFoundError)) throw error
        })
    },
    forget: (generation) => void ids.delete(generation.chromaCollection),
  }
}

/** getOrCreateCollection keeps an older configuration without a word. */
function refuseMismatch(collection: Collection, { chromaCollection, model, dimension }: Generation): void {
  const made = collection.metadata ?? {}
  const space = collection.configuration?.hnsw?.space ?? made.space
  if (made.model === model && made.dimension === dimension && space === SPACE) return
  throw new AppError(
    'conflict',
    `The Chroma collection ${chromaCollection} was made for ${String(made.model)} (${String(made.dimension)}, ${String(space)}), not for ${model} (${dimension}, ${SPACE}).`,
  )
}

/** Anything but our own refusals: a cache that errs is a cache that is down. */
export function isChromaOutage(error: unknown): boolean {
  return error instanceof ChromaConnectionError || !(error instanceof AppError)
}
