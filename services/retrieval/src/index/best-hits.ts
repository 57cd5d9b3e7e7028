export type LexicalHit = { chunk: number; score: number }

// exponent and four bits more of a positive number of 32 bits: neighbouring buckets are 3 to 6 percent apart
const BUCKET_BITS = 19
const BUCKETS = 1 << (31 - BUCKET_BITS)
// one score in so many tells where the best begin
const SAMPLED = 8
// where these were too few, so many times as many are looked for next
const MORE = 4
// a score's bits before a chunk's number: one number that a double holds exactly
const NUMBERS = 1 << 22
const ROOM = 512

const counts = new Uint32Array(BUCKETS)

/** The best `limit` of those with a score (by number of chunk, none below 0), by score and then by number: few more are sorted. */
export function topOf(scores: Float32Array, limit: number, allowed?: (chunk: number) => boolean): LexicalHit[] {
  const bits = new Int32Array(scores.buffer, scores.byteOffset, scores.length) // of numbers above 0 they rise as these do
  counts.fill(0)
  for (let chunk = 0; chunk < bits.length; chunk += SAMPLED) counts[bits[chunk]! >>> BUCKET_BITS]!++
  let bucket = BUCKETS
  for (let wanted = limit; ; wanted *= MORE) {
    // twice as many as are wanted, for a sample may be a little wrong
    for (let count = 0; count * SAMPLED < 2 * wanted && bucket > 0; ) count += counts[--bucket]!
    const best = bestAbove(bits, Math.max(1, bucket << BUCKET_BITS), limit, allowed)
    if (best.length < limit && bucket > 0) continue
    return Array.from(best, (key) => {
      const chunk = NUMBERS - 1 - (key % NUMBERS)
      return { chunk, score: scores[chunk]! }
    })
  }
}

/** The best of those that have at least `floor`, as numbers, from the best down. */
function bestAbove(bits: Int32Array, floor: number, limit: number, allowed?: (chunk: number) => boolean): Float64Array {
  const room = new Float64Array(Math.max(ROOM, 4 * limit))
  let count = 0
  let least = floor
  for (let chunk = 0; chunk < bits.length; chunk++) {
    const score = bits[chunk]!
    if (score < least || (allowed && !allowed(chunk))) continue
    room[count++] = score * NUMBERS + (NUMBERS - 1 - chunk)
    if (count < room.length) continue
    room.sort().copyWithin(0, count - limit)
    count = limit
    least = Math.floor(room[0]! / NUMBERS) + 1 // there are enough: of equal ones the first count
  }
  return room.subarray(0, count).sort().reverse().subarray(0, limit)
}
