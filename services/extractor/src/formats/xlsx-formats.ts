import { format, getFormatFromId, isDateFormat, isValidFormat } from 'numfmt'
import type { Package } from './package.ts'
import { elements, readXml } from './xml.ts'

/** A stored number as its cell shows it. */
export type CellFormat = (raw: string, style: number) => string

const FIRST_OWN_ID = 164
// These follow the reader's own settings in Excel; the one form that all of them read alike is used.
const readersOwn = new Map([
  [14, 'yyyy-mm-dd'],
  [22, 'yyyy-mm-dd hh:mm'],
])
// ECMA-376 part 1, 18.8.30: what these ids mean in a Chinese workbook; elsewhere they are not used.
const [yearMonth, monthDay] = ['yyyy"年"m"月"', 'm"月"d"日"']
const chinese = new Map([
  ...[27, 36, 50, 52, 57].map((id) => [id, yearMonth] as const),
  ...[28, 29, 51, 53, 54, 58].map((id) => [id, monthDay] as const),
  [31, 'yyyy"年"m"月"d"日"'],
  [32, 'h"时"mm"分"'],
  [33, 'h"时"mm"分"ss"秒"'],
])
const DAYS_1900_TO_1904 = 1462

export function readCellFormats(file: Package, has1904Dates: boolean): CellFormat {
  const own = new Map<number, string>()
  const patterns: string[] = []
  const content = file.read('xl/styles.xml')
  if (content)
    readXml(content, new Set(['numFmts', 'cellXfs']), (node) => {
      for (const { attributes } of elements(node)) {
        if (node.name === 'numFmts') own.set(Number(attributes.numFmtId), attributes.formatCode ?? 'General')
        else patterns.push(patternOf(Number(attributes.numFmtId ?? 0), own))
      }
    })
  return (raw, style) => {
    const value = Number(raw)
    if (!raw.trim() || !Number.isFinite(value)) return raw.trim()
    const pattern = patterns[style] ?? 'General'
    const days = has1904Dates && isDateFormat(pattern) ? value + DAYS_1900_TO_1904 : value
    return format(pattern, days, {
      throws: false,
      invalid: raw,
      overflow: raw,
      locale: /[\u4e00-\u9fff]|804]/.test(pattern) ? 'zh-CN' : '',
    })
      .replace(/\u00a0/g, ' ')
      .trim()
  }
}

function patternOf(id: number, own: ReadonlyMap<number, string>): string {
  const pattern = id >= FIRST_OWN_ID ? own.get(id) : (readersOwn.get(id) ?? own.get(id) ?? chinese.get(id) ?? getFormatFromId(id))
  return pattern && isValidFormat(pattern) ? pattern : 'General'
}
