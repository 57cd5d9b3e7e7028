import type { Passage, SearchRequest, SearchResponse } from '@docent/core/passage'
import type { Principal } from '@docent/core/principal'
import { scriptOf } from '@docent/core/text/language'
import type { Corpus } from '@docent/corpus/corpus'
import type { RetrievalEvents, Stage, Step } from '../events.ts'
import type { ChunkIndex, HeldChunk } from '../index/chunk-index.ts'
import { allowedChunks } from './allowed.ts'
import type { DenseLeg } from './dense-leg.ts'
import { diversify } from './diversify.ts'
import { denseWeight, evidenceOf, fuse } from './fuse.ts'
import { judge } from './gate.ts'
import { type Plan, planQuery } from './plan-query.ts'
import { snippetOf } from './snippet.ts'

const LEXICAL_HITS = 100
const EXPLAINED = 50

export type SearchDeps = { index: ChunkIndex; dense: DenseLeg; corpus: Pick<Corpus, 'parentsOf'>; events: RetrievalEvents }
type Call = { principal: Principal; requestId: string; signal: AbortSignal }

/** The order of steps of one question: plan → lexical ‖ dense → fuse → gate → diversify → parents. */
export async function search(
  request: SearchRequest,
  { index, dense, corpus, events }: SearchDeps,
  { principal, requestId, signal }: Call,
): Promise<SearchResponse> {
  const started = performance.now()
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
  const allowed = allowedChunks(request.filters, principal)
  const plan = timed('plan', () => planQuery(request, index.lexical))
  const asking = dense.search({ text: plan.embedText, language: plan.language, allowed }, signal)
  const lexical = timed('lexical', () => index.search(plan.terms, LEXICAL_HITS, allowed))
  const { groups, degraded, ms } = await asking
  took('embed', ms.embed)
  took('dense', ms.dense)

  const evidence = evidenceOf(lexical, plan.idfTotal, groups, plan.language)
  const weight = denseWeight(evidence, plan.language, { question: plan.script, text: lexical[0] && scriptOf(lexical[0].chunk.text) })
  const gate = judge(evidence, plan.language)
  const choices = timed('fuse', () => diversify(fuse(lexical, groups, weight), request.limit))

  const chosen = choices.filter((choice) => choice.kept).map((choice) => choice.entry)
  const parents = await parentsOf(chosen.map(({ chunk }) => chunk))
  const missing: Step[] = parents ? degraded : [...degraded, 'parents']
  // checked again on the way out; a chunk without a row was replaced a moment ago
  const passages = chosen
    .filter(({ chunk }) => (!allowed || allowed(chunk)) && (!parents || parents.has(chunk.id)))
    .map(({ chunk, scores }) => passageOf(chunk, scores, parents?.get(chunk.id), plan))

  const tookMs = Math.round((performance.now() - started) * 10) / 10
  const answerable = gate.answerable && passages.length > 0
  took('total', tookMs)
  events.searched({ answerable, degraded: missing, passages: passages.length, ms: tookMs, requestId })
  return {
    passages,
    answerable,
    gate,
    degraded: missing,
    tookMs,
    ...(request.explain
      ? {
          explain: {
            plan: describe(plan, { ...evidence, denseWeight: weight }),
            timings,
            candidates: choices.slice(0, EXPLAINED).map(({ entry, kept, why }) => ({
              chunkId: entry.chunk.id,
              documentId: entry.chunk.document.documentId,
              path: entry.chunk.document.path,
              scores: entry.scores,
              ranks: entry.ranks,
              kept,
              why,
            })),
          },
        }
      : {}),
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

function passageOf(chunk: HeldChunk, scores: Passage['scores'], parent: Passage['parent'] | undefined, plan: Plan): Passage {
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
    snippet: snippetOf(chunk.text, plan.terms),
    score: scores.fused,
    scores,
  }
}

function describe(plan: Plan, found: Record<string, number>): Record<string, unknown> {
  const { language, script, followUp, idfTotal, known } = plan
  const terms = plan.terms
    .slice(0, 200)
    .map(({ term, weight, content, idf }) => ({ term, weight, content, idf: Math.round(idf * 100) / 100 }))
  return { language, script, followUp, idfTotal, known, ...found, terms }
}
