import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises'
import type { Passage, SearchRequest, SearchResponse } from '@docent/core/passage'
import type { Principal } from '@docent/core/principal'
import { scriptOf } from '@docent/core/text/language'
import type { Corpus } from '@docent/corpus/corpus'
import type { Reranker } from '@docent/models/reranker'
import type { RetrievalEvents, Stage, Step } from '../events.ts'
import type { ChunkIndex, HeldChunk, Language, Meaning } from '../index/chunk-index.ts'
import { allowedChunks, rightsOf } from './allowed.ts'
import type { DenseLeg } from './dense-leg.ts'
import type { Dictionary } from './dictionary.ts'
import { diversify } from './diversify.ts'
import { describeCandidates, describePlan, sayWhy } from './explain.ts'
import { bothWays, crossWeight, denseWeight, evidenceOf, type Fused, fuse, ownOdds, READ } from './fuse.ts'
import { judge } from './gate.ts'
import { raiseNamed } from './hints.ts'
import { joinNeighbours } from './join-neighbours.ts'
import { findNamed } from './named.ts'
import { planQuery } from './plan-query.ts'
import { createSentenceReader } from './read-sentences.ts'
import { rerank } from './rerank.ts'
import { versionOf, withTuning } from './tuning.ts'

export type SearchDeps = {
  index: ChunkIndex
  dense: DenseLeg
  /** words of a question in the other language; without it meaning alone finds what is written there */
  translate?: Dictionary | undefined
  corpus: Pick<Corpus, 'parentsOf'>
  reranker?: Reranker | undefined
  events: RetrievalEvents
  /** brings the index up to what the corpus holds now, or waits as long as is worth waiting */
  catchUp?: (() => Promise<void>) | undefined
}
// of the best passages so many more than are asked for have their sections read: some of the best say the same again
const SPARE = 4

// so long the words wait: on two cores the embedder would be woken on this one, and stand still until they were looked up
const ASIDE_MS = 1

const REPLACED = 'its document was replaced a moment ago'

type Call = { principal: Principal; requestId: string; signal: AbortSignal; started?: number }

/** The order of steps of one question: plan → lexical ‖ dense → fuse → gate → rerank, when asked for → diversify → parents → neighbours joined. */
export async function search(request: SearchRequest, deps: SearchDeps, call: Call): Promise<SearchResponse> {
  const { index, dense, translate, corpus, reranker, events, catchUp } = deps
  const { principal, requestId, signal, started = performance.now() } = call
  const timings: Partial<Record<Stage, number>> = {}
  const took = (stage: Stage, ms: number) => {
    timings[stage] = Math.round(ms * 1_000) / 1_000
    events.stage(stage, ms)
  }
  const timed = <T>(stage: 'plan' | 'lexical' | 'fuse', work: () => T): T => {
    const from = performance.now()
    const result = work()
    took(stage, performance.now() - from)
    return result
  }
  const tuning = withTuning(request.tuning)
  const allowed = allowedChunks(request.filters, principal, index.isRestricted)
  const seen = () => index.seenBy(rightsOf(principal, index.isRestricted)) // anew each time: what is seen holds until a change
  const plan = timed('plan', () => planQuery(request, seen()))
  const other = plan.language === 'zh' ? 'en' : 'zh'
  const sentences = createSentenceReader(plan.terms, plan.idfTotal)
  const [{ groups, degraded, ms, generation }, { lexical, translated, both, named, textScript }] = await Promise.all([
    dense.search({ text: plan.embedText, language: plan.language, allowed, generation: request.generation }, signal),
    sleep(ASIDE_MS).then(() => {
      const words = timed('lexical', () => ({
        lexical: seen().search(plan.terms, tuning.lexicalHits, allowed),
        translated:
          translate && index.count(other) > 0
            ? seen().searchMeanings(meaningsOf(request, translate, plan.language), other, tuning.lexicalHits, allowed)
            : undefined,
      }))
      // read while the question is embedded
      for (const { chunk } of words.lexical.slice(0, READ)) sentences.shareOf(chunk.text)
      const best = words.lexical[0]?.chunk
      return {
        ...words,
        both: bothWays(words.lexical, words.translated),
        named: findNamed(plan.identifiers, words.lexical),
        textScript: best && scriptOf(best.text),
      }
    }),
  ])
  took('embed', ms.embed)
  took('dense', ms.dense)

  const { naming, holders } = named
  const evidence = { ...evidenceOf(lexical, plan.idfTotal, groups, plan.language, translated), ...(naming ? { naming } : {}) }
  const writing = { question: plan.script, text: textScript, code: plan.code }
  const odds = ownOdds(evidence, plan.language, tuning.languages)
  const weight = denseWeight(odds === undefined ? evidence : { ...evidence, other: 0 }, plan.language, writing, tuning.weights)
  const gate = judge(evidence, plan.language, tuning.gate)
  const balance = {
    weight,
    odds,
    cross: crossWeight(evidence, tuning.weights),
    step: tuning.languages.step,
    sentence: tuning.weights[plan.language].sentence,
    shareOf: ({ text }: HeldChunk) => sentences.shareOf(text),
  }
  const fused = timed('fuse', () => raiseNamed(fuse(both, groups, plan.language, balance), { query: plan.query, holders }, tuning.hints))
  const reranked = request.rerank ? await tryRerank(fused) : undefined
  const ordered = reranked ?? fused
  const first = ordered.slice(0, request.limit + SPARE).map(({ chunk }) => chunk)
  const [early, { choices, kept, snippets }] = await Promise.all([parentsOf(first), nextTurn().then(choose)]) // chosen while Postgres looks
  const late = early && (await parentsOf(kept.filter((chunk) => !first.includes(chunk))))
  const parents = early && late && new Map([...early, ...late])
  const missing: Step[] = [
    ...degraded,
    ...(request.rerank && !reranked ? ['rerank' as const] : []),
    ...(parents ? [] : ['parents' as const]),
  ]
  // checked again on the way out, by what holds now: readers may have changed while the search ran
  const stillAllowed = allowedChunks(request.filters, principal, index.isRestricted)
  const shown = choices
    .filter(({ entry: { chunk } }) => !stillAllowed || stillAllowed(index.byId(chunk.id) ?? chunk))
    .map((choice) => (choice.kept && parents && !parents.has(choice.entry.chunk.id) ? { ...choice, kept: false, why: REPLACED } : choice))
  // what it says now may be the answer: asked once more, of the newer version
  if (catchUp && shown.some(({ why }) => why === REPLACED)) {
    await catchUp()
    signal.throwIfAborted()
    return search(request, { ...deps, catchUp: undefined }, { ...call, started })
  }
  const found = shown
    .filter((choice) => choice.kept)
    .map(({ entry: { chunk, scores } }) => passageOf(chunk, scores, parents?.get(chunk.id), snippets.get(chunk.id)!))
  const { passages, joined } = joinNeighbours(found, sentences.snippetOf)
  const told = shown.map((choice) => {
    const into = joined.get(choice.entry.chunk.id)
    return into === undefined ? choice : { ...choice, kept: false, why: `joined to passage ${into}, which it touches` }
  })

  const tookMs = Math.round((performance.now() - started) * 10) / 10
  const answerable = gate.answerable && passages.length > 0
  const configVersion = versionOf(tuning)
  took('total', tookMs)
  events.searched({ answerable, degraded: missing, passages: passages.length, ms: tookMs, requestId })
  return {
    passages,
    answerable,
    gate,
    degraded: missing,
    tookMs,
    indexed: seen().size,
    configVersion,
    ...(generation === undefined ? {} : { generation }),
    ...(request.explain
      ? {
          explain: {
            why: sayWhy({ plan, weight, odds, choices: told, gate, degraded: missing, reranked: reranked !== undefined }),
            plan: describePlan(plan, { ...evidence, denseWeight: weight, ...(odds === undefined ? {} : { ownOdds: odds }), configVersion }),
            timings,
            candidates: describeCandidates(told),
          },
        }
      : {}),
  }

  function choose() {
    const choices = diversify(ordered, request.limit, tuning)
    const kept = choices.filter((choice) => choice.kept).map(({ entry }) => entry.chunk)
    return { choices, kept, snippets: new Map(kept.map(({ id, text }) => [id, sentences.snippetOf(text)])) }
  }

  async function tryRerank(ordered: readonly Fused<HeldChunk>[]): Promise<Fused<HeldChunk>[] | undefined> {
    if (!reranker) return undefined
    const from = performance.now()
    try {
      return await rerank(ordered, plan.embedText, { reranker, top: tuning.rerankTop, timeoutMs: tuning.rerankTimeoutMs, signal })
    } catch (error) {
      signal.throwIfAborted()
      events.legLost('rerank', error)
      return undefined
    } finally {
      took('rerank', performance.now() - from)
    }
  }

  async function parentsOf(chunks: readonly HeldChunk[]) {
    if (chunks.length === 0) return new Map()
    const from = performance.now()
    try {
      return await corpus.parentsOf(chunks.map((chunk) => chunk.id))
    } catch (error) {
      signal.throwIfAborted()
      events.legLost('parents', error)
      return undefined
    } finally {
      took('parents', performance.now() - from)
    }
  }
}

/** Of a follow-up the words of the turn before count half. */
function meaningsOf({ query, previous }: SearchRequest, translate: Dictionary, language: Language): Meaning[] {
  const before = previous?.trim() ? translate(previous, language) : []
  return [...translate(query, language), ...before.map((meaning) => ({ ...meaning, weight: meaning.weight / 2 }))]
}

function passageOf(chunk: HeldChunk, scores: Passage['scores'], parent: Passage['parent'] | undefined, snippet: string): Passage {
  const { document } = chunk
  return {
    chunkId: chunk.id,
    documentId: document.documentId,
    version: document.version,
    path: document.path,
    title: document.title || document.path.split('/').at(-1)!,
    mediaType: document.mediaType,
    ...(chunk.page === null ? {} : { page: chunk.page }),
    ...chunk.place,
    ...(chunk.heading ? { heading: chunk.heading } : {}),
    start: chunk.start,
    end: chunk.end,
    text: chunk.text,
    parent: parent ?? { start: chunk.start, end: chunk.end, text: chunk.text },
    snippet,
    score: scores.rerank ?? scores.fused,
    scores,
  }
}
