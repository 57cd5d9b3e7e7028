import type { Place } from './document.ts'

const names = ['page', 'slide', 'sheet', 'row', 'lastRow', 'chapter', 'attachment', 'ocr'] as const satisfies readonly (keyof Place)[]
const rowNames: ReadonlySet<string> = new Set(['row', 'lastRow'])

/** The place alone, of anything that has one; absent fields stay absent. */
export function placeOf(from: Place): Place {
  return Object.fromEntries(names.filter((name) => from[name] !== undefined && from[name] !== null).map((name) => [name, from[name]]))
}

/** The same page, slide, sheet, chapter and attachment, read in the same way; rows may differ. */
export function isSamePlace(a: Place, b: Place): boolean {
  return names.every((name) => rowNames.has(name) || a[name] === b[name])
}

/** The place of a text that runs over several blocks: the first one's, from the first row that is named to the last. */
export function spanPlace(parts: readonly Place[]): Place {
  const { row: _row, lastRow: _lastRow, ...place } = placeOf(parts[0] ?? {})
  const row = parts.find((part) => part.row !== undefined)?.row
  const end = parts.findLast((part) => part.row !== undefined)
  const lastRow = end?.lastRow ?? end?.row
  if (row === undefined || lastRow === undefined) return place
  return lastRow > row ? { ...place, row, lastRow } : { ...place, row }
}

/** A place in words, from the outside in; empty where there is none. */
export function placeWords(place: Place, language: 'zh' | 'en'): string {
  const zh = language === 'zh'
  const { attachment, chapter, page, slide, sheet, row, lastRow, ocr } = place
  const rows = lastRow === undefined ? `${row}` : `${row}–${lastRow}`
  return [
    attachment && (zh ? `附件 ${attachment}` : `attachment ${attachment}`),
    chapter && (zh ? `章节“${chapter}”` : `chapter “${chapter}”`),
    page && (zh ? `第 ${page} 页` : `page ${page}`),
    slide && (zh ? `第 ${slide} 张幻灯片` : `slide ${slide}`),
    sheet && (zh ? `工作表“${sheet}”` : `sheet “${sheet}”`),
    row && (zh ? `第 ${rows} 行` : lastRow === undefined ? `row ${rows}` : `rows ${rows}`),
    ocr && (zh ? '由文字识别读出' : 'read by OCR'),
  ]
    .filter(Boolean)
    .join(zh ? '，' : ', ')
}
