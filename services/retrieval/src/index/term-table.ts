/**
 * Term → small number, without keeping the strings: two 32-bit hashes stand for the term
 * (10 million terms collide with a probability of about 3 in a million).
 */
export type TermTable = {
  readonly size: number
  find(term: string): number
  findOrAdd(term: string): number
  /** a copy holding only the terms that `keep` accepts, numbered anew in the same order */
  copy(keep: (id: number) => boolean): TermTable
}

export function createTermTable(): TermTable {
  return tableOf(new Uint32Array(1 << 12), new Uint32Array(1 << 12), 0)
}

function tableOf(firsts: Uint32Array<ArrayBuffer>, seconds: Uint32Array<ArrayBuffer>, count: number): TermTable {
  let slots = fillSlots(firsts, count)

  /** the slot of the term just hashed, or the empty one where it belongs */
  function locate(): number {
    const mask = slots.length - 1
    let at = first & mask
    for (;;) {
      const id = slots[at]!
      if (id === 0 || (firsts[id - 1] === first && seconds[id - 1] === second)) return at
      at = (at + 1) & mask
    }
  }

  return {
    get size() {
      return count
    },
    find(term) {
      hash(term)
      return slots[locate()]! - 1
    },
    findOrAdd(term) {
      hash(term)
      const at = locate()
      if (slots[at] !== 0) return slots[at]! - 1
      if (count === firsts.length) {
        firsts = grown(firsts)
        seconds = grown(seconds)
      }
      firsts[count] = first
      seconds[count] = second
      slots[at] = ++count
      if (count * 10 > slots.length * 7) slots = fillSlots(firsts, count)
      return count - 1
    },
    copy(keep) {
      const a = new Uint32Array(Math.max(1 << 12, count))
      const b = new Uint32Array(a.length)
      let kept = 0
      for (let id = 0; id < count; id++) {
        if (!keep(id)) continue
        a[kept] = firsts[id]!
        b[kept++] = seconds[id]!
      }
      return tableOf(a, b, kept)
    },
  }
}

function fillSlots(firsts: Uint32Array, count: number): Uint32Array {
  let size = 1 << 13
  while (count * 10 > size * 4) size *= 2
  const slots = new Uint32Array(size)
  for (let id = 0; id < count; id++) {
    let at = firsts[id]! & (size - 1)
    while (slots[at] !== 0) at = (at + 1) & (size - 1)
    slots[at] = id + 1
  }
  return slots
}

export function grown(array: Uint32Array, length = array.length + (array.length >> 1) + 1): Uint32Array<ArrayBuffer> {
  const larger = new Uint32Array(length)
  larger.set(array)
  return larger
}

let first = 0
let second = 0

/** Sets `first` and `second`: two hashes in one pass, without an object for each of millions of terms. */
function hash(term: string): void {
  let a = 0x811c9dc5
  let b = 0x9747b28c
  for (let i = 0; i < term.length; i++) {
    const code = term.charCodeAt(i)
    a = Math.imul(a ^ code, 0x01000193)
    b = Math.imul(b ^ code, 0x5bd1e995)
  }
  first = mixed(a)
  second = mixed(b)
}

function mixed(h: number): number {
  const half = Math.imul(h ^ (h >>> 15), 0x2c1b3c6d)
  return (half ^ (half >>> 13)) >>> 0
}
