/**
 * Two 32-bit hashes stand for a term (10 million terms collide with a probability of about 3 in a million), as signed numbers, which V8
 * keeps without an object of their own. `first` and `second` hold those of the term last hashed.
 */
export let first = 0
export let second = 0

/** Terms of one or two UTF-16 units, which the characters and bigrams of Chinese are, hash by the number that these make. */
export function hashTerm(term: string): void {
  if (term.length <= 2) {
    const units = term.length === 2 ? pairOf(term.charCodeAt(0), term.charCodeAt(1)) : term.charCodeAt(0)
    first = firstOf(units)
    second = secondOf(units)
    return
  }
  let [a, b] = [0x811c9dc5 | 0, 0x9747b28c | 0]
  for (let i = 0; i < term.length; i++) {
    const unit = term.charCodeAt(i)
    a = Math.imul(a ^ unit, 0x01000193)
    b = Math.imul(b ^ unit, 0x5bd1e995)
  }
  first = firstOf(a)
  second = secondOf(b)
}

export function pairOf(before: number, unit: number): number {
  return (before << 16) | unit
}

/** never 0, which is nobody's: no text holds the one number that would get it */
export function firstOf(units: number): number {
  let h = Math.imul(units ^ (units >>> 16), 0x85ebca6b)
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35)
  return h ^ (h >>> 16) || 1
}

export function secondOf(units: number): number {
  const h = Math.imul(units ^ (units >>> 15), 0x2c1b3c6d)
  return h ^ (h >>> 13)
}
