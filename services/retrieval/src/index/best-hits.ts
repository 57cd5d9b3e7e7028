export type LexicalHit = { chunk: number; score: number }

// exponent and four bits more of a positive number of 32 bits: neighbouring buckets are 3 to 6 percent apart
const BUCKET_BITS = 19
const BUCKETS = 1 << (31 - BUCKET_BITS)
// of a filter that leaves too few of the best, so many times as many are asked next
const FILTERED = 4
// of a bucket that holds nearly all, so many times as many as are asked are sorted at once
const SORTED = 4

/** The best `limit` of those with a score (by number of chunk, none below 0), by score and then by number: few more become objects and are sorted. */
export function topOf(scores: Float32Array, limit: number, allowed?: (chunk: number) => boolean): LexicalHit[] {
  const bits = new Int32Array(scores.buffer, scores.byteOffset, scores.length) // of numbers above 0 they rise as these do
  const counts = new Uint32Array(BUCKETS)
  for (let chunk = 0; chunk < bits.length; chunk++) counts[bits[chunk]! >>> BUCKET_BITS]!++
  counts[0] = 0 // no score
  for (let wanted = limit; ; wanted *= FILTERED) {
    let bucket = BUCKETS
    for (let count = 0; count < wanted && bucket > 1; ) count += counts[--bucket]!
    const floor = bucket << BUCKET_BITS
    const best: LexicalHit[] = []
    let least = 0 // once there are enough, a later one must be better: of equal ones the first count
    for (let chunk = 0; chunk < bits.length; chunk++) {
      if (bits[chunk]! < floor || scores[chunk]! <= least || (allowed && !allowed(chunk))) continue
      best.push({ chunk, score: scores[chunk]! })
      if (best.length < limit * SORTED) continue
      best.sort(byScore).length = limit
      least = best[limit - 1]!.score
    }
    if (best.length >= limit || bucket === 1) return best.sort(byScore).slice(0, limit)
  }
}

function byScore(a: LexicalHit, b: LexicalHit): number {
  return b.score - a.score || a.chunk - b.chunk
}
