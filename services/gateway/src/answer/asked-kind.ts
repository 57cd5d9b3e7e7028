import { stem } from '@docent/core/text/stem'

type Holds = (text: string) => boolean | undefined
type Kind = { asks: RegExp; holds: RegExp }

const hanDigit = '[〇零一二两三四五六七八九十百千万亿半双]'
const hanNumber = `${hanDigit}+`
const latinNumber = 'one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve'
const number = `(?:\\d[\\d,.]*|${hanNumber}|${latinNumber})`
const amountOf = (han: string, latin: string): Kind => ({
  asks: new RegExp(`(?:几|多少)个?(?:${han})|how many (?:[a-z-]+ ){0,3}?(?:${latin})\\b`, 'u'),
  holds: new RegExp(`${number}\\s*(?:多|余)?个?(?:[a-z-]+ ){0,2}?(?:(?:工作)?(?:${han})|(?:${latin})\\b)`, 'u'),
})

const weekday = 'mon|tues|wednes|thurs|fri|satur|sun'
const month = 'january|february|march|april|june|july|august|september|october|november|december'
// a day, an hour, or what it follows upon
const someTime = new RegExp(
  `\\d{4}|\\d[:/-]\\d|\\d\\.\\d{1,2}\\.\\d|${number}\\s?(?:多|余)?个?(?:工作)?(?:[点时月日号年天周]|小时|分钟|[ap]\\.?m\\b|(?:st|nd|rd|th)\\b|(?:[a-z-]+ ){0,2}(?:minute|hour|day|week|month|year)s?\\b)|` +
    `[周期][一二三四五六日天末]|每|[早晚上下中午凌]{1,2}[午上晨]|[前后]|期间|立即|当天|\\b(?:${weekday})(?:day)s?\\b|\\b(?:${month})\\b|\\bin may\\b|\\bmay \\d|\\d may\\b|` +
    '\\b(?:noon|midnight|morning|afternoon|evening|night|today|tomorrow|daily|weekly|monthly|quarterly|yearly|annually|every|each|after|before|within|when|once|until|during|soon|immediately)\\b',
  'u',
)

/** What a question asks for by its form, and how a sentence that holds such a thing looks; both folded. */
const kinds: Kind[] = [
  {
    asks: /多少钱|多少元|价格(?!表)|售价|零售价|报价|定价|批发价|经销价|费用是|(?:租金|运费|单价|总价|工资|[年月]薪)(?:是|要|为)?多少|how much (?:is|are|for)\b|\bcosts?\b|\bpriced?\b|\bprices\b/u,
    holds: new RegExp(
      // a figure under a column of money has no sign of its own
      `(?:价|费|租金|金额|元|cost|price|fee|amount|eur|usd|cny|rmb)[^:;]{0,16}:\\s?\\d|[¥￥$€£]\\s?\\d|${number}\\s*(?:万|千|百)?(?:元|块|美元|欧元|(?:million |billion )?(?:yuan|usd|eur|gbp|chf|cny|rmb|dollars?|euros?|pounds?)\\b)|\\b(?:eur|usd|gbp|chf|cny|rmb)\\s?\\d|免费|不收费|\\bfree\\b`,
      'u',
    ),
  },
  {
    asks: /手机号?码?是?(?:多少|什么|几)|\b(?:mobile|cell)(?: phone)? numbers?\b/u,
    holds: /(?<!\d)1[3-9]\d[- ]?\d{4}[- ]?\d{4}(?!\d)|\+\d[\d -]{6,}/u,
  },
  {
    asks: /(?:电话|分机|热线)号?码?是?(?:多少|什么|几)|\b(?:(?:his|her|their|whose|[a-z]+'s) extension|extension number)\b|(?<!(?:mobile|cell) )\b(?:tele)?phone numbers?\b/u,
    holds: /\+\d[\d -]{6,}|\d{3,4}[- ]\d{3,}|\d{7,}|(?:分机|\bext(?:ension|\.))(?: number)?[\s:]*\d/u,
  },
  { asks: /邮箱|邮件地址|\be-?mail address/u, holds: /@/u },
  {
    asks: /网址|网站地址|\burl\b|\bweb(?:site)? address/u,
    holds: /https?:|\bwww\.|[a-z0-9]\.(?:com|org|net|edu|gov|io|cn|de|uk|eu|example)\b/u,
  },
  amountOf('分钟', 'minutes'),
  amountOf('小时|钟头', 'hours'),
  amountOf('天|日', 'days?'),
  amountOf('周|星期', 'weeks?'),
  amountOf('月', 'months?'),
  amountOf('年', 'years?'),
]

/** Read less strictly: a sentence without such a thing is no answer, one with it may be about anything. */
const looseKinds: Kind[] = [
  {
    asks: /什么颜色|哪些颜色|几种颜色|\b(?:what|which) colou?rs?\b/u,
    holds:
      /[红橙黄绿青蓝紫黑白灰银金棕粉褐]|\b(?:red|orange|yellow|green|blue|purple|violet|black|white|gr[ae]y|silver|gold|brown|pink|graphite)\b|颜色|\bcolou?rs?\b/u,
  },
  {
    asks: /什么时候|何时|多久|多长时间|(?<!哪)几点(?!了)|哪天|哪一天|哪年|几月|^(?:and |but )?when (?:is|was|were|are|do|does|did|will|can|could|should|must|may)\b|\bwhat (?:time|date|day)\b/u,
    holds: someTime,
  },
  {
    asks: /多重|重量|净重|\bhow heavy\b|\bweight\b(?! limit)|\bhow much do(?:es)? .* weigh\b/u,
    holds: new RegExp(`${number}\\s*(?:(?:kg|g|t|lbs?)\\b|公?斤|千?克|吨|kilo|gram|pound|ton)`, 'u'),
  },
  {
    asks: /多(?:高|深|宽|厚|快)|how (?:tall|high|deep|wide|thick|fast|bright|loud|old)\b|how long is\b|百分之几|\bwhat percentage\b/u,
    holds: new RegExp(`\\d|[二三四五六七八九十百千万]|\\b(?:${latinNumber}|half)\\b`, 'u'),
  },
]

/**
 * Whether a text holds the kind of thing a question asks for: undefined where the question's form does not say, or the text is in another
 * script. Both folded.
 */
export function answersKind(question: string): Holds | undefined {
  const asked = kinds.filter(({ asks }) => asks.test(question))
  if (asked.length > 0) return (text) => asked.some(({ holds }) => holds.test(text))
  return countsEnglish(question) ?? countsChinese(question)
}

/** A folded question without the words that ask for a kind of thing. */
export function withoutKind(question: string): string {
  return kinds.reduce((rest, { asks }) => rest.replace(asks, ' '), question)
}

/** Whether a text, with its headings, may hold it at all; undefined where the question's form does not say. Both folded. */
export function mayAnswerKind(question: string): ((text: string) => boolean) | undefined {
  const asked = looseKinds.filter(({ asks }) => asks.test(question))
  return asked.length > 0 ? (text) => asked.some(({ holds }) => holds.test(text)) : undefined
}

const isHan = /\p{Script=Han}/u
const auxiliary =
  /^(?:do|does|did|is|are|was|were|be|has|have|had|can|could|may|might|will|would|must|should|shall|there|in|on|at|of|for|to|a|an|the|per)$/
const numberWord = new RegExp(`^(?:\\d.*|${latinNumber}|[a-z]+teen|[a-z]+ty|hundreds?|thousands?|millions?|both|several|no|half)$`)
// a number and what it counts: 12 large meeting rooms, rooms: 12
const BEFORE = 4
const AFTER = 2

/** “how many rooms”: a number stands near that word, or under it in a table. */
function countsEnglish(question: string): Holds | undefined {
  if (/\bhow many [a-z-]*\d/u.test(question)) return countsNamed(question)
  const words = /\bhow many ((?:[a-z-]+ ?){1,4})/u.exec(question)?.[1]?.trim().split(' ') ?? []
  const end = words.findIndex((word) => auxiliary.test(word))
  const things = new Set((end < 0 ? words.slice(0, 2) : words.slice(0, end)).map(stem))
  if (things.size === 0) return undefined
  return (text) => {
    if (isHan.test(text)) return someCount.test(text) ? undefined : false
    const said = text.match(/[a-z]+|\d[\d,.]*/gu) ?? []
    return (
      said.some(
        (word, i) => numberWord.test(word) && said.slice(Math.max(0, i - AFTER), i + BEFORE + 1).some((near) => things.has(stem(near))),
      ) || figureColumns(text).some((column) => question.includes(column))
    )
  }
}

/** “how many SP-0058 are in stock”: of a row the column that the question names tells, of a sentence nothing. */
function countsNamed(question: string): Holds {
  return (text) => {
    const columns = figureColumns(text)
    return columns.length > 0 ? columns.some((column) => question.includes(column)) : undefined
  }
}

// in Chinese what is neither money, a share, a date nor a measure may be a count
const someCount = new RegExp(
  `(?:\\d[\\d,.]*|${hanNumber})(?![\\d,.:/-]|${hanDigit}|\\s*[万千百]?(?:元|美元|欧元|%|℃|度|[年月日号点时分秒天周]|小时|公斤|千?克|米|升))`,
  'u',
)
// what is counted goes by several names; of units the sign may stand for the word
const sameUnit: Record<string, string> = { 人: '人位名', 号: '号日', 楼: '楼层', 层: '层楼', 点: '点:', 折: '折%' }
const someNumber = new RegExp(`(?:\\d[\\d,.]*|${hanNumber})\\s*(.{0,4})`, 'gu')
const anyNumber = new RegExp(`\\d|${hanNumber}`, 'u')
const measureWords =
  /^[台件张次名位人间层楼号点条本辆部款种类家届期批箱袋瓶盒份页章节级档路项座栋套组队户把支只头棵片块段轮步格门米升度倍折成分元岁周天日月年秒公千克吨]/u
/** The names of a row's columns with nothing but a figure. */
function figureColumns(text: string): string[] {
  return [...text.matchAll(figureCells)].map(([, column = '']) => column)
}
const figureCells = /(?:^|; ?)([^:;]{2,24}): ?\d[\d,.]* ?(?=;|$)/gu

/** 几台, 多少个格子: a number with that word behind it; in a table under a column that the question or its unit names. */
function countsChinese(question: string): Holds | undefined {
  const [, piece, unit] = /(?<!第)(?:几|多少)(个?)(\p{Script=Han})/u.exec(question) ?? []
  if (!unit || unit === '个') return undefined
  // 多少员工: what is counted goes by other names, too (320 人)
  const isNoun = !piece && !measureWords.test(unit) && !/几个?$/u.test(question.slice(0, question.indexOf(unit)))
  const any = [...(sameUnit[unit] ?? unit)]
  return (text) => {
    if (!isHan.test(text)) return undefined
    if (isNoun) return anyNumber.test(text)
    return (
      [...text.matchAll(someNumber)].some(([, behind = '']) => /^[a-z℃°%]/u.test(behind) || any.some((char) => behind.includes(char))) ||
      figureColumns(text).some((column) => {
        const name = column.replace(/\(.*\)/u, '').trim()
        return question.includes(name) || any.some((char) => column.slice(name.length).includes(char))
      })
    )
  }
}
