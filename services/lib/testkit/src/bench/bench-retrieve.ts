import { SearchResponse } from '@docent/core/passage'
import { encodePrincipal } from '@docent/core/principal'
import { SAMPLE, writtenIn } from '@docent/core/text/language'
import type { Corpus, Generation, IndexedChunk } from '@docent/corpus/corpus'
import { createCorpus } from '@docent/corpus/create-corpus'
import { leanFetch } from '@docent/kit/lean-fetch'
import { createLogger } from '@docent/kit/logger'
import { openPostgres } from '@docent/kit/postgres'
import { createHttpEmbedder } from '@docent/models/http-embedder'
import { ChromaClient } from 'chromadb'
import { tempDatabase } from '../temp-database.ts'
import { startChild } from './child-service.ts'
import { fillCorpus } from './fill-corpus.ts'
import { makeLibrary, seeded } from './make-library.ts'
import { givenGroup, openBenchStores, percentile, retrievalFlags, retrievalMemory } from './open-bench.ts'

const TOKEN = 'bench-internal-token-0123456789-abcdefg'
const SEEDS = 300 // texts of each language that are really embedded
const WARM_UP = 200
const QUESTIONS = 250
const TOP = 8
const HITS = 60 // what retrieval asks Chroma for
const languages = ['zh', 'en'] as const
type Language = (typeof languages)[number]
type Held = { id: string; language: Language; vector: Float32Array }

/**
 * BENCH 12: POST /search against what it cannot do without: the question embedded over HTTP and one query to each of Chroma's two
 * collections. Question by question in turn, each asked once in each way; BENCH_CHUNKS says how many chunks, 20,000 unless told.
 */
export async function benchRetrieve(scope: AsyncDisposableStack): Promise<Record<string, number>> {
  const chunks = Number(process.env.BENCH_CHUNKS ?? 20_000)
  const stores = await openBenchStores(scope)
  const { corpusUrl } = await tempDatabase(stores.databaseUrl, scope)
  const embedder = scope.use(await startChild('embedder', {}))
  const models = createHttpEmbedder({ url: embedder.url, fetch: leanFetch }) // as retrieval asks it
  const log = createLogger('bench', 'warn')
  const pool = scope.adopt(openPostgres(corpusUrl, log, { name: 'docent-bench', max: 4 }), (open) => open.end())
  const corpus = createCorpus(pool, { url: stores.chromaUrl, fetch: leanFetch }, log)

  const library = makeLibrary(chunks, {
    setsFolder: process.env.EVAL_SETS,
    sampleFolder: new URL('../../../../../documents', import.meta.url).pathname,
  })
  const documents = [...library.chunks]
  const filled = await fillCorpus(corpusUrl, documents)
  const { model, dimension } = await models.info(AbortSignal.timeout(10_000))
  const generation = await corpus.activeGeneration(model, dimension)
  const held = await giveVectors(corpus, model, documents.flat(), (texts) => models.passages(texts, AbortSignal.timeout(180_000)))
  const filling = performance.now()
  const { added } = await corpus.reconcileDense(generation)
  const reconciledMs = performance.now() - filling
  if (added !== filled) throw new Error(`${added} of ${filled} chunks went into Chroma`)
  console.log(`  ${filled} chunks in Postgres and Chroma`)

  const { group, limitMb } = givenGroup('retrieval', scope)
  const retrieval = scope.use(
    await startChild(
      'retrieval',
      {
        DATABASE_URL: corpusUrl,
        CHROMA_URL: stores.chromaUrl,
        EMBEDDER_URL: embedder.url,
        INTERNAL_TOKEN: TOKEN,
        ...retrievalMemory,
      },
      { nodeFlags: retrievalFlags, ...(group ? { group } : {}) },
    ),
  )
  const raw = await openRaw(stores.chromaUrl, generation, (text) => models.query(text, AbortSignal.timeout(10_000)))
  const questions = shuffled([...new Set(library.questions)]).slice(0, WARM_UP + QUESTIONS)

  const times: Record<'service' | 'raw' | 'embed' | 'lean', number[]> = { service: [], raw: [], embed: [], lean: [] }
  const legs: Record<string, number[]> = {}
  for (const question of questions.slice(0, WARM_UP)) {
    const { timings } = await search(retrieval.url, question, true)
    for (const [leg, took] of Object.entries(timings)) (legs[leg] ??= []).push(took)
    await raw(question)
    await search(retrieval.url, `${question} ?`) // code that has run a few hundred times is another code
  }
  // the same two queries as the service sends them: what is left of its own is then its own work alone
  const lean = async (vector: Float32Array) => {
    const from = performance.now()
    const signal = AbortSignal.timeout(10_000)
    await Promise.all(languages.map((language) => corpus.searchDense(vector, HITS, generation, signal, { language })))
    return performance.now() - from
  }
  const recalls: number[] = []
  let cpuS = 0
  for (const [i, question] of questions.slice(WARM_UP).entries()) {
    const ask = async () => {
      const cpuBefore = retrieval.cpuS()
      times.service.push((await search(retrieval.url, question)).ms)
      cpuS += retrieval.cpuS() - cpuBefore
    }
    if (i % 2 === 0) await ask()
    const { ms, embedMs, vector } = await raw(question)
    times.raw.push(ms)
    times.embed.push(embedMs)
    if (i % 2 === 1) await ask()
    times.lean.push(embedMs + (await lean(vector)))
    for (const language of languages) recalls.push(await recall(corpus, generation, held, vector, language))
  }
  const p = (name: keyof typeof times, share: number) => percentile(times[name], share)
  const memory = retrieval.memory()
  return {
    chunks: filled,
    questions: times.service.length,
    'search p50, ms': p('service', 0.5),
    'search p95, ms': p('service', 0.95),
    'raw embed + Chroma p50, ms': p('raw', 0.5),
    'raw embed + Chroma p95, ms': p('raw', 0.95),
    'of that the embedding p50, ms': p('embed', 0.5),
    'of that Chroma p50, ms': percentile(
      times.raw.map((ms, i) => ms - times.embed[i]!),
      0.5,
    ),
    'search ÷ raw, p50': p('service', 0.5) / p('raw', 0.5),
    'search ÷ raw, median of pairs': percentile(
      times.service.map((ms, i) => ms / times.raw[i]!),
      0.5,
    ),
    'search ÷ raw with Chroma asked as the service asks it, median of pairs': percentile(
      times.service.map((ms, i) => ms / times.lean[i]!),
      0.5,
    ),
    'CPU of retrieval a search, ms': (cpuS / times.service.length) * 1000,
    ...Object.fromEntries(
      Object.entries(legs).map(([leg, took]) => [`stage ${leg} p50, ms (the first ${WARM_UP}, explained)`, percentile(took, 0.5)]),
    ),
    'recall@8 of Chroma against a flat scan': recalls.reduce((sum, one) => sum + one, 0) / recalls.length,
    'Chroma filled in, s': reconciledMs / 1000,
    'retrieval resident, MB': memory.rssMb,
    'retrieval most resident, MB': memory.peakMb,
    ...(group ? { [`charged at most under a limit of ${limitMb} MB`]: group.seen().peakMb } : {}),
  }
}

/**
 * Embedding all chunks would take an hour. Some are embedded; each chunk's vector is a mixture of three of its language with a little
 * noise, so that vectors lie as narrowly together as the model's own do.
 */
async function giveVectors(
  corpus: Corpus,
  model: string,
  chunks: readonly IndexedChunk[],
  embed: (texts: string[]) => Promise<Float32Array[]>,
): Promise<Held[]> {
  const languageIn = new Map(chunks.map((chunk) => [chunk.id, writtenIn(chunk.text.slice(0, SAMPLE))]))
  const seeds = {} as Record<Language, Float32Array[]>
  for (const language of languages) {
    const own = chunks.filter(({ id }) => languageIn.get(id) === language)
    const step = Math.max(1, Math.floor(own.length / SEEDS))
    const texts = own.filter((_, i) => i % step === 0).map(({ text }) => text.slice(12, language === 'zh' ? 80 : 160))
    seeds[language] = await embed(texts.slice(0, SEEDS))
  }
  const random = seeded(12)
  const held = chunks.map(({ id, textHash }) => {
    const language = languageIn.get(id)!
    const [a, b, c] = [0, 1, 2].map(() => seeds[language][Math.floor(random() * seeds[language].length)]!) as [
      Float32Array,
      Float32Array,
      Float32Array,
    ]
    const mixed = Array.from(a, (value, d) => 0.6 * value + 0.3 * b[d]! + 0.1 * c[d]! + 0.03 * (random() - 0.5))
    const length = Math.hypot(...mixed)
    return { id, textHash, language, vector: Float32Array.from(mixed, (value) => value / length) as Float32Array }
  })
  for (let at = 0; at < held.length; at += 1_000) {
    const some = held.slice(at, at + 1_000)
    await corpus.saveVectors(model, new Map(some.map(({ textHash, vector }) => [textHash, vector])))
    // as Postgres gives them back: rounded to float16
    const stored = await corpus.loadVectors(
      some.map(({ textHash }) => textHash),
      model,
    )
    for (const one of some) one.vector = stored.get(one.textHash)!
  }
  return held
}

async function search(url: string, query: string, explain = false): Promise<{ ms: number; timings: Record<string, number> }> {
  const started = performance.now()
  const response = await leanFetch(`${url}/search`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      'x-docent-token': TOKEN,
      'x-docent-principal': encodePrincipal({ id: 'bench', kind: 'admin', scopes: ['read'] }),
    },
    body: JSON.stringify({ query, limit: TOP, explain }),
  })
  const body: unknown = await response.json()
  const ms = performance.now() - started
  const { degraded, explain: told } = SearchResponse.parse(body)
  if (degraded.length > 0) throw new Error(`the search did without ${degraded.join(', ')}`)
  return { ms, timings: told?.timings ?? {} }
}

/** The question's vector and its neighbours in both collections, with the vendor's own client. */
async function openRaw(chromaUrl: string, generation: Generation, embed: (text: string) => Promise<Float32Array>) {
  const { hostname, port } = new URL(chromaUrl)
  const client = new ChromaClient({ host: hostname, port: Number(port), ssl: false })
  const names = [generation.chromaCollection, `${generation.chromaCollection}-zh`]
  const collections = await Promise.all(names.map((name) => client.getCollection({ name })))
  return async (question: string) => {
    const started = performance.now()
    const vector = await embed(question)
    const embedMs = performance.now() - started
    await Promise.all(
      collections.map((collection) => collection.query({ queryEmbeddings: [[...vector]], nResults: HITS, include: ['distances'] })),
    )
    return { ms: performance.now() - started, embedMs, vector }
  }
}

/** The share of the eight exactly nearest that Chroma's first eight hold; equally near ones count. */
async function recall(corpus: Corpus, generation: Generation, held: readonly Held[], vector: Float32Array, language: Language) {
  const scores = new Map(held.filter((one) => one.language === language).map((one) => [one.id, dot(vector, one.vector)]))
  const least = [...scores.values()].sort((a, b) => b - a)[TOP - 1]!
  const found = await corpus.searchDense(vector, HITS, generation, AbortSignal.timeout(10_000), { language })
  return found.slice(0, TOP).filter(({ chunkId }) => scores.get(chunkId)! >= least - 1e-4).length / TOP
}

function dot(a: Float32Array, b: Float32Array): number {
  let sum = 0
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!
  return sum
}

/** The sets' questions lie language by language. */
function shuffled(questions: readonly string[]): string[] {
  const random = seeded(5)
  const order = questions.map((question) => ({ question, at: random() }))
  return order.sort((a, b) => a.at - b.at).map(({ question }) => question)
}
