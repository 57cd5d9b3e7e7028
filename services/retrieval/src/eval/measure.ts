/** nDCG of the first ten with relevance 0 or 1. */
export function ndcgAt10(ids: readonly string[], relevant: readonly string[]): number {
  let gain = 0
  ids.slice(0, 10).forEach((id, i) => {
    if (relevant.includes(id)) gain += 1 / Math.log2(i + 2)
  })
  let ideal = 0
  for (let i = 0; i < Math.min(10, relevant.length); i++) ideal += 1 / Math.log2(i + 2)
  return ideal === 0 ? 0 : gain / ideal
}

/** The chance that a positive scores above a negative; a tie counts half. */
export function auroc(positives: readonly number[], negatives: readonly number[]): number {
  const all = [...positives.map((score) => ({ score, positive: true })), ...negatives.map((score) => ({ score, positive: false }))].sort(
    (a, b) => a.score - b.score,
  )
  let ranks = 0
  for (let i = 0; i < all.length; ) {
    let j = i
    while (j < all.length && all[j]!.score === all[i]!.score) j++
    for (let k = i; k < j; k++) if (all[k]!.positive) ranks += (i + j + 1) / 2
    i = j
  }
  return (ranks - (positives.length * (positives.length + 1)) / 2) / (positives.length * negatives.length)
}

/** The share of negatives that score at least as high as 95 % of the positives do. */
export function fprAt95(positives: readonly number[], negatives: readonly number[]): number {
  const threshold = [...positives].sort((a, b) => a - b)[Math.floor(positives.length * 0.05)]
  if (threshold === undefined || negatives.length === 0) return 0
  return negatives.filter((score) => score >= threshold).length / negatives.length
}

export function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / Math.max(1, values.length)
}
