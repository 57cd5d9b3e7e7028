import { readFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'
import { fold } from '@docent/core/text/fold'
import { questionTerms, tokensOf } from '@docent/core/text/tokens'
import type { Language, Meaning } from '../index/chunk-index.ts'

const file = new URL('../../dictionary/zh-en.txt.gz', import.meta.url)
const LONGEST_WORD = 6
const LONGEST_PHRASE = 3
const LINE_END = 10
// a question of an essay's length is not looked up word for word
const MOST = 24
// a word of one character has too many meanings to count in full
const ONE_CHARACTER = 0.6

/** What the words of a question may be called in the other language; `[]` for a question without words of its own. */
export type Dictionary = (question: string, language: Language) => Meaning[]

/**
 * Translates word by word with CC-CEDICT: the longest entry at each place of a Chinese question, the longest phrase of an English one.
 * All translations of one word are one meaning, after A. Pirkola, "The effects of query structure and dictionary setups in
 * dictionary-based cross-language information retrieval" (1998). The file is read at the first question that needs it.
 */
export function createDictionary(): Dictionary {
  let lines: Buffer | undefined
  const lookUp = (key: string) => {
    lines ??= gunzipSync(readFileSync(file))
    return find(lines, Buffer.from(`${key}\t`))
  }
  return (question, language) => {
    const content = new Set(questionTerms(question).flatMap(({ term, content }) => (content ? [term] : [])))
    return language === 'zh' ? ofChinese(question, content, lookUp) : ofEnglish(question, content, lookUp)
  }
}

type LookUp = (key: string) => string[] | undefined

function ofChinese(question: string, content: ReadonlySet<string>, lookUp: LookUp): Meaning[] {
  // names, codes and numbers are written alike in both
  const alike = [...content].filter((term) => !/\p{Script=Han}/u.test(term)).slice(0, MOST)
  const meanings: Meaning[] = alike.map((term) => ({ weight: 1, alternatives: [[term]] }))
  for (const run of fold(question).match(/\p{Script=Han}+/gu) ?? []) {
    for (let at = 0; at < run.length && meanings.length < MOST; ) {
      let length = Math.min(LONGEST_WORD, run.length - at)
      let found: string[] | undefined
      while (length > 0 && !(found = lookUp(run.slice(at, at + length)))) length--
      const word = run.slice(at, at + Math.max(1, length))
      const says = content.has(word.slice(0, 2)) || content.has(word.slice(-2))
      if (found && says)
        meanings.push({ weight: word.length === 1 ? ONE_CHARACTER : 1, alternatives: found.map((gloss) => gloss.split(' ')) })
      at += word.length
    }
  }
  return meanings
}

function ofEnglish(question: string, content: ReadonlySet<string>, lookUp: LookUp): Meaning[] {
  const words = tokensOf(question)
  // board.md is a name: what board means elsewhere is no part of it
  const named = new Set((fold(question).match(/\w+(?:[._]\w+)+/g) ?? []).flatMap(tokensOf))
  const isPhrase = (some: readonly string[]) => content.has(some[0]!) && content.has(some.at(-1)!) && !some.some((word) => named.has(word))
  const meanings: Meaning[] = []
  for (let at = 0; at < words.length && meanings.length < MOST; ) {
    let length = Math.min(LONGEST_PHRASE, words.length - at)
    let found: string[] | undefined
    while (length > 0 && !(isPhrase(words.slice(at, at + length)) && (found = lookUp(words.slice(at, at + length).join(' '))))) length--
    const own = words.slice(at, at + Math.max(1, length))
    if (own.some((word) => content.has(word)))
      meanings.push({ weight: 1, alternatives: [own, ...(found ?? []).map((word) => termsOfWord(word))] })
    at += own.length
  }
  return meanings
}

/** the bigrams of a word; the character of a word of one */
function termsOfWord(word: string): string[] {
  const terms = tokensOf(word)
  return terms.length === 1 ? terms : terms.filter((term) => term.length > 1)
}

/** The meanings on the line that begins with `key`, among lines sorted by their bytes. */
function find(lines: Buffer, key: Buffer): string[] | undefined {
  let low = 0
  let high = lines.length
  while (low < high) {
    const start = lines.lastIndexOf(LINE_END, ((low + high) >> 1) - 1) + 1
    const end = lines.indexOf(LINE_END, start)
    const order = lines.compare(key, 0, key.length, start, Math.min(end, start + key.length))
    if (order === 0) return lines.toString('utf8', start + key.length, end).split('|')
    if (order < 0) low = end + 1
    else high = start
  }
  return undefined
}
