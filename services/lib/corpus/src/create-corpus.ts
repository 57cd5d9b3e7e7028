import { createActiveChunks } from './active-chunks.ts'
import { createAttempts } from './attempts.ts'
import type { ChromaOptions } from './chroma.ts'
import { createChunkEdits } from './chunk-edits.ts'
import { createChunking } from './chunking.ts'
import { createChunks } from './chunks.ts'
import { createControlFiles } from './control-files.ts'
import type { Corpus } from './corpus.ts'
import { type CorpusLog, guardPool, type Pool } from './database.ts'
import { createLedger } from './documents.ts'
import { createEmbeddings } from './embeddings.ts'
import { createFeed } from './feed.ts'
import { createGenerations } from './generations.ts'
import { createMissingTexts } from './missing-texts.ts'
import { createOperations } from './operations.ts'
import { createVectors } from './vectors.ts'
import { verifyCorpus } from './verify.ts'

/** The corpus over a pool of role docent_corpus and, when there is one, a Chroma. */
export function createCorpus(
  pool: Pool,
  chroma: ChromaOptions | undefined,
  log: CorpusLog,
  /** lines at which a fault test may hit the process: kit's `faultPoint` */
  faultPoint: (name: string) => void = () => undefined,
): Corpus {
  const database = guardPool(pool)
  const vectors = createVectors(chroma, database, log)
  const embeddings = createEmbeddings(database)
  return {
    ...createLedger(database, (ids) => vectors.dropLater(ids)),
    ...createAttempts(database),
    ...embeddings,
    ...createChunks(database, vectors, embeddings.loadVectors, log, faultPoint),
    ...createChunkEdits(database),
    ...createChunking(database),
    ...createActiveChunks(database),
    ...createGenerations(database, vectors),
    ...createMissingTexts(database),
    ...createControlFiles(database),
    ...createOperations(database),
    ...createFeed(pool, database, log),
    searchDense: vectors.searchDense,
    denseCanary: vectors.denseCanary,
    reconcileDense: vectors.reconcileDense,
    isDenseDoubtful: vectors.isDenseDoubtful,
    verify: () => verifyCorpus(database, vectors),
  }
}
