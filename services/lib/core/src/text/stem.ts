/**
 * Light English stemming after the first step of M. F. Porter, "An algorithm for suffix stripping" (1980):
 * plurals, -ed and -ing, final -e and -y; nothing derivational. Expects lower case a–z.
 */
export function stem(word: string): string {
  if (word.length < 3) return word
  const known = irregular.get(word)
  if (known) return known
  return ending(participle(plural(word)))
}

const irregular = new Map(
  Object.entries({
    using: 'use',
    used: 'use',
    uses: 'use',
    dying: 'die',
    lying: 'lie',
    tying: 'tie',
    news: 'news',
    this: 'this',
    is: 'is',
    was: 'was',
    has: 'has',
    his: 'his',
    its: 'its',
    does: 'does',
  }),
)
const vowel = /[aeiouy]/

function plural(word: string): string {
  if (!word.endsWith('s') || word.endsWith('ss') || word.endsWith('us') || word.endsWith('is')) return word
  if (word.endsWith('ies')) return word.length > 4 ? `${word.slice(0, -3)}y` : word.slice(0, -1)
  if (/(?:ss|x|ch|sh|zz)es$/.test(word)) return word.slice(0, -2)
  return word.length > 3 ? word.slice(0, -1) : word
}

function participle(word: string): string {
  const cut = word.endsWith('ing') ? 3 : word.endsWith('ed') && !word.endsWith('eed') ? 2 : 0
  const base = word.slice(0, word.length - cut)
  if (cut === 0 || base.length < 3 || !vowel.test(base)) return word
  const last = base.at(-1)!
  if (last === base.at(-2) && !'aeiouylsz'.includes(last)) return base.slice(0, -1)
  return base
}

/** make, makes, making meet at mak; city, cities at citi. */
function ending(word: string): string {
  if (word.length > 3 && word.endsWith('e')) return word.slice(0, -1)
  if (word.length > 3 && word.endsWith('y') && !vowel.test(word.at(-2)!)) return `${word.slice(0, -1)}i`
  return word
}
