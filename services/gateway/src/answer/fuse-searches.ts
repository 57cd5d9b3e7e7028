import type { Passage, SearchResponse } from '@docent/core/passage'

// The authors' 60 is for lists of a thousand: among eight places it would let two middling ones outweigh any first place.
const K = 1
// passages of one document, where the settings name no other number: as retrieval has it
const PER_DOCUMENT = 3

/**
 * The searches of one question in several wordings as one: passages by reciprocal rank fusion (Cormack, Clarke and Büttcher, SIGIR 2009),
 * in which each list gives a passage 1 / (K + its place) and scores, of a scale of their own in each search, are not compared.
 * Searches that hold no answer stand behind those that do. A passage is the same by its chunk; each of its scores is the best it had.
 */
export function fuseSearches(
  own: SearchResponse,
  rewritten: SearchResponse | undefined,
  others: readonly SearchResponse[],
  { limit, perDocument = PER_DOCUMENT }: { limit: number; perDocument?: number | undefined },
): SearchResponse {
  const lists = [own, ...(rewritten ? [rewritten] : []), ...others]
  // what two searches agree on that miss the subject must not bury what a third one found
  const hits = byReciprocalRank(lists.filter(({ answerable }) => answerable))
  const all = byReciprocalRank(lists)
  const ordered = [...hits.map(({ chunkId }) => all.find((one) => one.chunkId === chunkId)!), ...all]
  // The question and what the model takes it to mean decide. A translation does not: each further wording is one more chance for a
  // wrong yes, and the thresholds are calibrated for one search.
  const verdict = rewritten && certainty(rewritten) > certainty(own) ? rewritten : own
  // where the model reranks afterwards, each search finds more than will be shown
  const most = Math.max(limit, ...lists.map(({ passages }) => passages.length))
  return {
    ...own,
    passages: withoutRepeats(ordered, perDocument, most),
    answerable: verdict.answerable,
    gate: verdict.gate,
    degraded: [...new Set(lists.flatMap(({ degraded }) => degraded))],
  }
}

function byReciprocalRank(lists: readonly SearchResponse[]): Passage[] {
  const fused = new Map<string, { passage: Passage; sum: number }>()
  for (const { passages } of lists)
    for (const [i, passage] of passages.entries()) {
      const known = fused.get(passage.chunkId)
      const share = 1 / (K + i + 1)
      fused.set(passage.chunkId, known ? { passage: best(known.passage, passage), sum: known.sum + share } : { passage, sum: share })
    }
  return [...fused.values()].sort((a, b) => b.sum - a.sum).map(({ passage }) => passage)
}

function best(a: Passage, b: Passage): Passage {
  const scores = { ...a.scores }
  for (const [leg, score] of Object.entries(b.scores) as [keyof typeof scores, number][])
    scores[leg] = Math.max(scores[leg] ?? score, score)
  return { ...a, score: Math.max(a.score, b.score), scores }
}

/** What retrieval promises of one list holds for all together: nothing twice, not too much of one document unless it is the only one, no more than asked for. */
function withoutRepeats(passages: readonly Passage[], perDocument: number, limit: number): Passage[] {
  const isOnly = new Set(passages.map(({ documentId }) => documentId)).size === 1
  const kept: Passage[] = []
  for (const passage of passages) {
    const ofDocument = kept.filter(({ documentId }) => documentId === passage.documentId).length
    if ((isOnly || ofDocument < perDocument) && !kept.some((other) => isRepeat(passage, other))) kept.push(passage)
  }
  return kept.slice(0, limit)
}

/** The same words, or a part of the other: searches join neighbouring chunks, each as it found them. */
function isRepeat(a: Passage, b: Passage): boolean {
  if (a.chunkId === b.chunkId || a.text === b.text) return true
  if (a.documentId !== b.documentId || a.version !== b.version) return false
  return (a.start >= b.start && a.end <= b.end) || (b.start >= a.start && b.end <= a.end)
}

/** Answerable before not, then by how near the threshold it came. */
function certainty({ answerable, gate }: SearchResponse): number {
  return answerable ? Number.POSITIVE_INFINITY : gate.threshold > 0 ? gate.score / gate.threshold : 0
}
