const han = /\p{Script=Han}/gu

/** zh when at least a fifth of the letters are Han; the question's language decides the answer's. */
export function languageOf(text: string): 'zh' | 'en' {
  const letters = text.match(/\p{L}/gu)?.length ?? 0
  const hanLetters = text.match(han)?.length ?? 0
  return hanLetters > 0 && hanLetters * 5 >= letters ? 'zh' : 'en'
}

// characters whose traditional and simplified forms differ, among the most frequent
const traditionalOnly =
  /[這個們來說國時為對於與開過學發會經現動問題業關機應種進實點間產話體頭電聽讀寫買賣價錢險證護樣變幾從車書東長門還氣見爾義務處總數據網絡線級號單價錄選擇幫誰嗎麼後準確]/u

/** hant when the text holds characters that only traditional script uses. */
export function scriptOf(text: string): 'hans' | 'hant' {
  return traditionalOnly.test(text) ? 'hant' : 'hans'
}
