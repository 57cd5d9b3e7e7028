const HAN = 1
const LETTER = 2
const kinds = new Uint8Array(0x10000).fill(255)

function kindOf(code: number): number {
  let kind = code > 0xffff ? 255 : kinds[code]!
  if (kind !== 255) return kind
  const char = String.fromCodePoint(code)
  kind = (/\p{Script=Han}/u.test(char) ? HAN : 0) | (/\p{L}/u.test(char) ? LETTER : 0)
  if (code <= 0xffff) kinds[code] = kind
  return kind
}

/** zh when at least a fifth of the letters are Han; the question's language decides the answer's. */
export function languageOf(text: string): 'zh' | 'en' {
  let letters = 0
  let hanLetters = 0
  for (let i = 0; i < text.length; i++) {
    const code = text.codePointAt(i)!
    if (code > 0xffff) i++
    const kind = kindOf(code)
    if (kind & LETTER) letters++
    if (kind & HAN) hanLetters++
  }
  return hanLetters > 0 && hanLetters * 5 >= letters ? 'zh' : 'en'
}

/** The language a chunk is written in, told by its beginning; a document may hold both. */
export function writtenIn(text: string): 'zh' | 'en' {
  return languageOf(text.slice(0, SAMPLE))
}

/** enough of a text to tell its language by, in UTF-16 units */
export const SAMPLE = 200

// characters whose traditional and simplified forms differ, among the most frequent
const traditionalOnly =
  /[這個們來說國時為對於與開過學發會經現動問題業關機應種進實點間產話體頭電聽讀寫買賣價錢險證護樣變幾從車書東長門還氣見爾義務處總數據網絡線級號單價錄選擇幫誰嗎麼後準確]/u

/** hant when the text holds characters that only traditional script uses. */
export function scriptOf(text: string): 'hans' | 'hant' {
  return traditionalOnly.test(text) ? 'hant' : 'hans'
}
