import type { Passage, SearchResponse } from '@docent/core/passage'
import { fold } from '@docent/core/text/fold'
import { contentWords } from './cite.ts'
import type { Job } from './job.ts'
import type { StepDeps } from './steps.ts'
import { promptText } from './table-lines.ts'
import { estimateTokens } from './tokens.ts'

const asks =
  /总结|概括|归纳|概述|简述|摘要|要点|主要内容|(?:主要)?[讲说写]了?(?:些|一些)?什么(?:内容)?|(?<![a-z])(?:summar(?:y|ies|[iy][sz]e[sd]?)|overview|tl;?dr|key points|main points|gist)(?![a-z])/gu
// words around the name of a document that are no part of it
const around =
  /请|帮我|帮忙|一下|这份|这个|这篇|全文|文档|文件|的|(?<![a-z])(?:please|give|me|us|short|brief|quick|document|file|can|could)(?![a-z])/gu
const NAMED = 0.7
// as many of its chunks are looked for, and so many tokens of them put before a model for each of topK: the longest section's
const CHUNKS = 50
const TOKENS_EACH = 1_500

/** The document that a question wants summed up: one that it names by most of the words of its title or path. */
export function documentToSum(question: string, passages: readonly Passage[]): string | undefined {
  const folded = fold(question)
  if (!folded.match(asks)) return undefined
  const words = contentWords(folded.replace(asks, ' ').replace(around, ' '))
  if (words.length === 0) return undefined
  const shares = [...new Set(passages.map(({ path }) => path))].map((path) => {
    const name = fold(`${path} ${passages.find((one) => one.path === path)!.title}`)
    return { path, share: words.filter((word) => name.includes(word)).length / words.length }
  })
  const best = shares.reduce((most, one) => (one.share > most.share ? one : most), { path: '', share: 0 })
  // two documents of one name: which is meant is not known
  return best.share >= NAMED && shares.filter(({ share }) => share === best.share).length === 1 ? best.path : undefined
}

/** Its sections in their order, the likeliest of them where all would not fit; undefined where no one document is asked for, or it holds no more. */
export async function wholeDocument(
  job: Job,
  { retrieval, events }: Pick<StepDeps, 'retrieval' | 'events'>,
  found: SearchResponse,
): Promise<Passage[] | undefined> {
  const path = documentToSum(job.question, found.passages)
  if (path === undefined || job.filters?.pathPrefix !== undefined) return undefined
  const query = { query: job.question, limit: CHUNKS, filters: { ...job.filters, pathPrefix: path } }
  const ids = { requestId: job.requestId, traceId: job.traceId }
  const all = await retrieval.search(query, job.principal, ids, job.abort.signal).catch((error: unknown) => {
    job.abort.signal.throwIfAborted()
    // the sections that were found say some of it
    events.stepFailed(job.answerId, 'whole', error)
    return undefined
  })
  const own = (all?.passages ?? []).filter((passage) => passage.path === path)
  const sections = own.filter(({ parent }, i) => own.findIndex((other) => other.parent.start === parent.start) === i)
  if (sections.length < 2) return undefined
  let left = job.settings.settings.topK * TOKENS_EACH
  const fitting = sections.filter((passage) => {
    left -= estimateTokens(promptText(passage))
    return left >= 0
  })
  return fitting.sort((a, b) => a.start - b.start)
}
