import type { SearchRequest, SearchResponse } from '@docent/core/passage'
import { ndcgAt10 } from '@docent/retrieval/eval/measure'
import type { z } from 'zod'
import { percentile } from '../bench/open-bench.ts'
import type { Library } from './open-library.ts'

export type Question = { id: string; q: string; previous?: string | undefined; rel: readonly string[] }
export type Asked = { id: string; q: string; rank: number | null; ndcg: number; answerable: boolean; score: number; threshold: number }
export type Line = {
  set: string
  configuration: string
  /** hash of all parameters of search that held */
  configVersion: string
  /** hash of the documents and the questions */
  dataHash: string
  questions: number
  ndcg10: number
  interval: [low: number, high: number]
  recall1: number
  recall5: number
  recall10: number
  mrr10: number
  answerable: number
  searchMsP50: number
  searchMsP95: number
  degraded: number
  /** questions that these documents do not answer, and the lines whose questions they do */
  outsideOf?: string[] | undefined
  asked: Asked[]
}

/** Asks each question over HTTP; `idsOf` names what a response found, best first. */
export async function askSet(
  library: Library,
  set: string,
  questions: readonly Question[],
  idsOf: (found: SearchResponse) => string[],
  configuration: string,
  request: Omit<z.input<typeof SearchRequest>, 'query'> = {},
): Promise<Omit<Line, 'dataHash'>> {
  const asked: Asked[] = []
  const times: number[] = []
  let degraded = 0
  let configVersion = ''
  for (const { id, q, previous, rel } of questions) {
    const found = await library.search({ query: q, ...(previous ? { previous } : {}), limit: 30, ...request })
    configVersion = found.configVersion ?? ''
    if (found.degraded.length > 0) degraded++
    times.push(found.tookMs)
    const ids = [...new Set(idsOf(found))].slice(0, 10)
    const place = ids.findIndex((one) => rel.includes(one))
    const { score, threshold } = found.gate
    asked.push({ id, q, rank: place < 0 ? null : place + 1, ndcg: ndcgAt10(ids, rel), answerable: found.answerable, score, threshold })
  }
  const share = (holds: (one: Asked) => boolean) => asked.filter(holds).length / Math.max(1, asked.length)
  const within = (k: number) => share(({ rank }) => rank !== null && rank <= k)
  return {
    set,
    configuration,
    configVersion,
    questions: asked.length,
    ndcg10: mean(asked.map(({ ndcg }) => ndcg)),
    interval: bootstrap(asked.map(({ ndcg }) => ndcg)),
    recall1: within(1),
    recall5: within(5),
    recall10: within(10),
    mrr10: mean(asked.map(({ rank }) => (rank === null ? 0 : 1 / rank))),
    answerable: share((one) => one.answerable),
    searchMsP50: percentile(times, 0.5),
    searchMsP95: percentile(times, 0.95),
    degraded,
    asked,
  }
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / Math.max(1, values.length)
}

/** 95 % interval of the mean from 1,000 resamples, the same each time. */
export function bootstrap(values: readonly number[]): [number, number] {
  let state = 1
  const random = () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state / 2 ** 32
  }
  const means = Array.from({ length: 1_000 }, () => mean(values.map(() => values[Math.floor(random() * values.length)]!)))
  return [percentile(means, 0.025), percentile(means, 0.975)]
}
