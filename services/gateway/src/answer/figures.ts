import { fold } from '@docent/core/text/fold'
import { months } from '@docent/core/text/identifiers'

type Unit = 'minute' | 'hour' | 'day' | 'week' | 'month' | 'year' | 'percent' | 'clock' | 'monthOfYear' | undefined
/** `isSoft`: a number word that may count nothing, as in 一起 or “one of them”. `digits`: as written, without what they are times of. */
export type Figure = { value: number; unit: Unit; isSoft: boolean; digits?: number }

// what one is of the smallest of its family
const minutes: { [unit in string]?: number } = { minute: 1, hour: 60, day: 1_440, week: 10_080 }
const monthly: { [unit in string]?: number } = { month: 1, year: 12 }

export function isSame(one: Figure, other: Figure): boolean {
  if (one.value === other.value) return areUnitsLike(one.unit, other.unit)
  const lengths = lengthOf(one)
  return lengthOf(other).some((length) => lengths.includes(length))
}

/** A span of time in the smallest unit of its family, to find equal ones by; empty for what is none. */
export function lengthOf({ value, unit }: Figure): string[] {
  const [short, long] = [minutes[unit ?? ''], monthly[unit ?? '']]
  return short ? [`${value * short} minutes`] : long ? [`${value * long} months`] : []
}

/** 17:30 may be half past five */
export function areHalfADayApart(one: Figure, other: Figure): boolean {
  return one.unit === 'clock' && Math.abs(one.value - other.value) === 12
}

/** 20 days are no 20 weeks, and 40 % no 40 minutes; a number without a unit may be either. */
function areUnitsLike(one: Unit, other: Unit): boolean {
  if (one === 'monthOfYear' || other === 'monthOfYear') return one === other
  if (one === 'percent' || other === 'percent') return one === other || one === undefined || other === undefined
  const isSpan = (unit: Unit) => unit !== undefined && (unit in minutes || unit in monthly)
  return one === other || !isSpan(one) || !isSpan(other)
}

/** PV-1007, M60, err_07: letters with digits, however they are joined. */
export function codesOf(text: string): string[] {
  return fold(text).match(/(?<![a-z\d])[a-z]+(?:[-_./][a-z]+)*[-_./]?\d[a-z\d]*(?:[-_.][a-z\d]+)*/g) ?? []
}

export function squeeze(text: string): string {
  return fold(text).replace(/[^\p{L}\p{N}]+/gu, '')
}

const small =
  'zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen'
const ones = new Map(small.split(' ').map((word, value) => [word, value]))
const tens = new Map('twenty thirty forty fifty sixty seventy eighty ninety'.split(' ').map((word, i) => [word, 20 + 10 * i]))
const word = [...tens.keys(), ...ones.keys()].sort((a, b) => b.length - a.length).join('|')
const times: { [unit in string]?: number } = { 百: 100, 千: 1e3, 万: 1e4, 亿: 1e8, hundred: 100, thousand: 1e3, million: 1e6, billion: 1e9 }
const digits = new Map(
  [...'零一二三四五六七八九']
    .map((sign, value) => [sign, value])
    .concat([
      ['〇', 0],
      ['两', 2],
    ]) as [string, number][],
)

const figure = new RegExp(
  `(?<per>百分之)?(?:(?<![a-z\\d][-_.]?|\\d[.,])(?<digits>\\d+(?:,\\d{3})*(?:\\.\\d+)?)|(?<han>[零〇一二两三四五六七八九十百千万亿]+)|\\b(?<word>(?:${word})(?:[- ](?:${word}))?)\\b)` +
    '\\s*(?<times>(?:[百千万亿]+|(?:hundred|thousand|million|billion)\\b)?)\\s*(?:个|多|余)?' +
    '(?:(?<minute>分钟|min(?:ute)?s?\\b)|(?<hour>小时|钟头|h(?:(?:ou)?rs?)?\\b)|(?<day>(?:个?工作|自然)?[天日]|(?:(?:working|business|calendar)[ -])?days?\\b)|' +
    '(?<week>周|星期|weeks?\\b)|(?<monthOfYear>(?<!个)月)|(?<month>月|months?\\b)|(?<year>年|years?\\b)|(?<percent>%|per ?cent\\b)|(?<clock>[点时]|:|[ap]\\.?m\\b))?',
  'gu',
)
const monthNames = new RegExp(`\\b(?:(${months.join('|')})|(jan|feb|mar|apr|jun|jul|aug|sept?|oct|nov|dec)\\b\\.?)(?=[\\s,]+\\d|\\b)`, 'g')

/** Numbers in digits, Chinese signs and English words, with their units. */
export function figuresOf(text: string): Figure[] {
  const plain = fold(text)
    .replace(/(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})(?!\d)/g, ' $1年$2月$3日 ')
    .replace(/(\d)(?:st|nd|rd|th)\b/g, '$1')
    // as the 1990s
    .replace(/(\d{1,2})\s*世纪\s*(\d0)\s*年代/g, (_whole, century, decade) => ` ${(Number(century) - 1) * 100 + Number(decade)} `)
    // as in “5 March”; may and march alone are words
    .replace(monthNames, (name, _long, _short, at: number, whole: string) => {
      const isDate = /\d[\s,of]*$/.test(whole.slice(0, at)) || /^[\s,.]+\d/.test(whole.slice(at + name.length))
      const nth = months.findIndex((month) => month.startsWith(name.slice(0, 3)))
      return isDate || !/^(?:may|march|mar)/.test(name) ? ` ${nth + 1}月 ` : name
    })
  return [...plain.matchAll(figure)].flatMap(({ groups = {} }) => {
    const { per, times: many = '' } = groups
    const unit = per ? 'percent' : units.find((one) => groups[one] !== undefined)
    const factor = many === '' ? 1 : (times[many] ?? hanValue(`一${many}`) ?? 1)
    const value = groups.digits ? Number(groups.digits.replaceAll(',', '')) : groups.han ? hanValue(groups.han) : wordValue(groups.word!)
    if (value === undefined) return []
    // 一天, “one week” are said of what the other language calls daily or a week
    const isSoft = !groups.digits && (unit === undefined || unit === 'clock' || value * factor <= 1)
    return [{ value: value * factor, unit, isSoft, ...(groups.digits ? { digits: value } : {}) }]
  })
}
const units = ['minute', 'hour', 'day', 'week', 'month', 'year', 'percent', 'clock', 'monthOfYear'] as const

function wordValue(words: string): number | undefined {
  return words.split(/[- ]/).reduce((sum, one) => sum + (tens.get(one) ?? ones.get(one) ?? 0), 0)
}

/** 二十四, 一百零五, 三万, 二〇二六; undefined for what is no number (万 alone). */
function hanValue(text: string): number | undefined {
  if (/^[零〇一二三四五六七八九]{2,}$/.test(text)) return Number([...text].map((sign) => digits.get(sign)).join(''))
  let [total, section, digit] = [0, 0, undefined as number | undefined]
  for (const sign of text) {
    const known = digits.get(sign)
    if (known !== undefined) digit = known
    else if (sign === '十') [section, digit] = [section + (digit ?? 1) * 10, undefined]
    else if (sign === '百' || sign === '千') {
      if (digit === undefined) return undefined
      ;[section, digit] = [section + digit * times[sign]!, undefined]
    } else {
      if (total + section + (digit ?? 0) === 0) return undefined
      ;[total, section, digit] = [(total + section + (digit ?? 0)) * times[sign]!, 0, undefined]
    }
  }
  return total + section + (digit ?? 0)
}
