import { fold } from './fold.ts'
import { stem } from './stem.ts'

// longer runs are blobs (base64, hashes in a row): cut, so that no term and no work grows with them
const MAX_WORD = 64

const NONE = 0
const CJK = 1
const LETTER = 2
const DIGIT = 3
const classes = new Uint8Array(0x10000).fill(255)
const cjk = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}\p{Script=Bopomofo}ー々〇]/u

function classOf(code: number): number {
  let found = code > 0xffff ? 255 : classes[code]!
  if (found !== 255) return found
  const char = String.fromCodePoint(code)
  found = cjk.test(char) ? CJK : /\p{Nd}/u.test(char) ? DIGIT : /[\p{L}\p{M}\p{N}]/u.test(char) ? LETTER : NONE
  if (code <= 0xffff) classes[code] = found
  return found
}

/**
 * The index terms of a text, in order, repeats kept: characters and bigrams of CJK, stems of words, numbers,
 * identifiers whole and in parts (rfc-9457 → rfc-9457, rfc, 9457). Linear in the length of the text.
 */
export function tokensOf(text: string): string[] {
  return tokensOfFolded(fold(text))
}

export function tokensOfFolded(text: string): string[] {
  const tokens: string[] = []
  const character = (code: number, previous: number) => {
    const char = String.fromCodePoint(code)
    if (previous) tokens.push(String.fromCodePoint(previous) + char)
    tokens.push(char)
  }
  visitFolded(text, character, (start, end) => tokens.push(...tokensOfWord(text.slice(start, end))))
  return tokens
}

/**
 * The same terms without a string for each: `character` gets a CJK character and the one just before it (0 = none; else the two are a
 * bigram too), `word` the place of a word that `tokensOfWord` takes apart.
 */
export function visitFolded(
  text: string,
  character: (code: number, previous: number) => void,
  word: (start: number, end: number) => void,
): void {
  let previous = 0
  for (let i = 0; i < text.length; ) {
    const code = text.codePointAt(i)!
    const kind = classOf(code)
    const width = code > 0xffff ? 2 : 1
    if (kind === CJK) {
      character(code, previous)
      previous = code
      i += width
      continue
    }
    previous = 0
    if (kind === NONE) {
      i += width
      continue
    }
    const end = wordEnd(text, i)
    word(i, end)
    i = end
  }
}

/** Letters and digits, with one joiner between two of them: rfc-9457, v2.3.1, err_oom, 10,000, don't. */
function wordEnd(text: string, start: number): number {
  let i = start
  while (i < text.length && i - start < MAX_WORD) {
    const kind = kindAt(text, i)
    if (kind === LETTER || kind === DIGIT) i += text.codePointAt(i)! > 0xffff ? 2 : 1
    else if (i > start && joins(text, i)) i++
    else break
  }
  if (i - start < MAX_WORD && (text[i] === '+' || text[i] === '#')) while (i < start + MAX_WORD && (text[i] === '+' || text[i] === '#')) i++
  return i
}

function kindAt(text: string, at: number): number {
  return at < text.length ? classOf(text.codePointAt(at)!) : NONE
}

function joins(text: string, at: number): boolean {
  const next = kindAt(text, at + 1)
  if (next !== LETTER && next !== DIGIT) return false
  const joiner = text[at]!
  if (joiner === ',') return next === DIGIT && kindAt(text, at - 1) === DIGIT
  return "-_.'’".includes(joiner)
}

const plainWord = /^[a-z]+$/
const part = /[^\d\W_]+|\d+|[^\x00-\x7f]+/gu

/** The terms of one folded word, as visitFolded gives it. */
export function tokensOfWord(word: string): string[] {
  if (plainWord.test(word)) return [stem(word)]
  if (/^\d+$/.test(word)) return [word]
  if (/^\d{1,3}(?:,\d{3})+(?:\.\d+)?$/.test(word)) return [word.replaceAll(',', '')]
  if (/^[a-z]+['’][a-z]+$/.test(word)) return [stem(word.replace(/['’]s$/, '').replace(/['’]/, ''))]
  // hyphened words are words; digits, dots and underscores make an identifier, found whole as well
  const tokens = /[\d._+#]/.test(word) ? [word] : []
  const parts = word.match(part) ?? []
  if (parts.length === 1 && parts[0] === word) tokens.push(word)
  else for (const piece of parts) tokens.push(plainWord.test(piece) ? stem(piece) : piece)
  return tokens
}

export type QuestionTerm = {
  term: string
  /** how often the question says it */
  count: number
  /** words that only ask (什么, how, is): they say little about what a document must hold */
  asks: boolean
  /** decides whether the question is known: neither asking, nor an identifier's whole form beside its parts */
  content: boolean
}

const asking =
  /什么时候|什么样|什么|为什么|为何|怎么样|怎么办|怎么|怎样|如何|多少|多久|多大|多长|多远|多高|多重|哪些|哪里|哪儿|哪个|哪一|哪种|哪年|哪位|哪|几|谁|是不是|有没有|能不能|可不可以|要不要|会不会|是否|能否|可否|可以|应该|应当|需要|一共|总共|大概|大约|到底|究竟|请问|请告诉我|告诉我|请|吗|呢|吧|啊|的|了|是|在|有|和|与|被|把|我|你|它|他|她/g
const askingWords = new Set(
  'a an the of to in on at by for from with and or as is are was were be been being am do does did doing has have had can could will would shall should may might must i you he she it we they me my your his her its our their this that these those there what which who whom whose when where why how if then than so not no into about over after before'
    .split(' ')
    .map(stem),
)

// an identifier's whole form counts for ranking; whether it is known is decided by its parts
function isWhole(term: string): boolean {
  return /^[\x21-\x7e]+$/.test(term) && !/^(?:[a-z]+|\d+(?:\.\d+)?)$/.test(term)
}

function termOf(term: string, asks: boolean): QuestionTerm {
  return { term, count: 1, asks, content: !asks && !isWhole(term) }
}

/** The terms of a question, each once; those of content decide whether it can be answered. */
export function questionTerms(question: string): QuestionTerm[] {
  const folded = fold(question)
  const content = new Set(tokensOfFolded(folded.replace(asking, ' ')))
  const terms = new Map<string, QuestionTerm>()
  for (const term of tokensOfFolded(folded)) {
    const known = terms.get(term)
    if (known) known.count++
    else terms.set(term, termOf(term, !content.has(term) || askingWords.has(term)))
  }
  return [...terms.values()]
}
