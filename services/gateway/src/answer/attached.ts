import type { SearchResponse } from '@docent/core/passage'
import { tokensOf } from '@docent/core/text/tokens'
import type { AttachedText, Attachments } from '../store/attachments.ts'
import { degrade, type Job } from './job.ts'
import { DOUBT } from './judge-quotes.ts'
import type { Wanted } from './search.ts'
import type { StepDeps } from './steps.ts'

// scored at most (each is embedded, all within retrieval's 8 s), and shown at most beside what the folder has, or alone
const SCORED = 16
const BESIDE = 2
const ALONE = 3
const MAX_TEXT = 4_000
const MAX_CONTEXT = 2_000
const LEXICAL = 0.45
/** share of the question's words from which an attachment is taken to speak of it */
const SPEAKS = 0.35

/**
 * What was found, with the passages of the conversation's own files: those that speak of the question stand first, or
 * alone where the folder holds nothing for it. Where neither they
 * nor the folder do, the closest are offered in doubt (“what is this file about?” shares no word with it).
 */
export async function withAttachments(
  job: Job,
  deps: Pick<StepDeps, 'retrieval'> & { attachments: Attachments },
  found: SearchResponse,
  { query }: Wanted,
): Promise<SearchResponse> {
  // a caller who filters asks for documents; without a conversation there are no attachments
  if (!job.isFollowUp || job.turns || job.filters) return found
  const all = await deps.attachments.texts(job.conversationId)
  if (all.length === 0) return found
  const texts = likeliest(query, all)
  const sentences = texts.map(({ text, header }) => ({ text: text.slice(0, MAX_TEXT), context: header.slice(0, MAX_CONTEXT) }))
  const ids = { requestId: job.requestId, traceId: job.traceId }
  const { scores, degraded } = await deps.retrieval.sentences(query, sentences, job.principal, ids, job.abort.signal)
  for (const step of degraded) degrade(job, step)
  const scored = texts
    .map(({ attachment, ordinal }, i) => {
      const { lexical = 0, dense } = scores[i] ?? {}
      return { attachment, ordinal, lexical, score: dense === undefined ? lexical : LEXICAL * lexical + (1 - LEXICAL) * dense }
    })
    .sort((a, b) => b.score - a.score)
  const speaking = scored.filter(({ lexical }) => lexical >= SPEAKS)
  const isAnswerable = found.answerable || speaking.length > 0
  const chosen = isAnswerable ? speaking.slice(0, found.answerable ? BESIDE : ALONE) : scored.slice(0, ALONE)
  job.found.record.attachments = { searched: new Set(all.map(({ attachment }) => attachment)).size, chunks: all.length, shown: chosen }
  if (chosen.length === 0) return found
  job.found.answerable = isAnswerable
  const passages = await deps.attachments.passages(job.conversationId, chosen)
  const threshold = found.gate.threshold || 1
  return {
    ...found,
    // a folder that holds nothing for it has nothing to add to a file that does
    passages: isAnswerable && !found.answerable ? passages : [...passages, ...found.passages],
    answerable: isAnswerable,
    ...(isAnswerable ? {} : { gate: { ...found.gate, threshold, score: Math.max(found.gate.score, DOUBT * threshold) } }),
  }
}

/** The chunks that hold most of the question's words, rare ones counting more; then the first ones. */
export function likeliest(question: string, all: readonly AttachedText[]): AttachedText[] {
  if (all.length <= SCORED) return [...all]
  const held = all.map(({ text, header }) => new Set(tokensOf(`${header}\n${text}`)))
  const wanted = [...new Set(tokensOf(question))].map((term) => {
    const count = held.filter((tokens) => tokens.has(term)).length
    return { term, weight: Math.log(1 + all.length / (1 + count)) }
  })
  return all
    .map((text, i) => ({ text, weight: wanted.reduce((sum, { term, weight }) => sum + (held[i]!.has(term) ? weight : 0), 0) }))
    .sort((a, b) => b.weight - a.weight)
    .slice(0, SCORED)
    .map(({ text }) => text)
}
