// node services/retrieval/bin/make-dictionary.ts CEDICT FILE: the words of CC-CEDICT (its published text form) as search needs them, written to FILE.
// Each line is a key, a tab and what it may mean: Chinese words to the index terms of their English glosses, and those back. Sorted by bytes.
import { readFileSync, writeFileSync } from 'node:fs'
import { gzipSync } from 'node:zlib'
import { fold } from '@docent/core/text/fold'
import { tokensOf } from '@docent/core/text/tokens'

const LONGEST_WORD = 6
const LONGEST_GLOSS = 3
const MOST = 12
// what says nothing by itself inside a gloss
const empty = new Set(
  'a an the of to in on at by for from with and or as is are was were be been sb sth one ones oneself etc esp fig lit abbr see also used up out off over into his her its it that this not no very so'.split(
    ' ',
  ),
)
const remark = /^(?:CL:|(?:old |erhua )?variant of|see |abbr\.|surname |used in|also written)/
const entry = /^\S+ (\S+) \[[^\]]*\] \/(.*)\/\s*$/

const [, , source, target] = process.argv
if (!source || !target) {
  console.error('node services/retrieval/bin/make-dictionary.ts CEDICT FILE')
  process.exit(2)
}
const english = new Map<string, Map<string, number>>()
const chinese = new Map<string, Map<string, number>>()
for (const line of readFileSync(source, 'utf8').split('\n')) {
  const [, simplified, glosses] = entry.exec(line) ?? []
  if (!simplified || !glosses) continue
  const word = fold(simplified)
  if (!/^\p{Script=Han}+$/u.test(word) || word.length > LONGEST_WORD) continue
  glosses.split('/').forEach((gloss, place) => {
    if (remark.test(gloss)) return
    for (const part of gloss.replace(/\([^)]*\)|\[[^\]]*\]/g, ' ').split(/[;,]/)) {
      const terms = tokensOf(part).filter((term) => /^[a-z]/.test(term) && !empty.has(term))
      if (terms.length === 0 || terms.length > LONGEST_GLOSS) continue
      note(english, word, terms.join(' '), place)
      note(chinese, terms.join(' '), word, place)
    }
  })
}

/** The first gloss of a word is its best; the lowest place counts. */
function note(into: Map<string, Map<string, number>>, key: string, meaning: string, place: number): void {
  const known = into.get(key) ?? new Map<string, number>()
  into.set(key, known.set(meaning, Math.min(known.get(meaning) ?? place, place)))
}

const lines = [...english, ...chinese].map(([key, meanings]) => {
  const best = [...meanings].sort(([a, x], [b, y]) => x - y || a.length - b.length || (a < b ? -1 : 1)).slice(0, MOST)
  return Buffer.from(`${key}\t${best.map(([meaning]) => meaning).join('|')}\n`)
})
const text = Buffer.concat(lines.sort(Buffer.compare))
writeFileSync(target, gzipSync(text, { level: 9 }))
console.log(`${english.size} Chinese keys, ${chinese.size} English keys, ${text.length} bytes`)
