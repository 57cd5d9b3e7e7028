import type { RecordRow } from '../store/records.ts'

const columns: [string, (row: RecordRow) => unknown][] = [
  ['createdAt', (row) => row.createdAt.toISOString()],
  ['answerId', (row) => row.answerId],
  ['conversationId', (row) => row.conversationId],
  ['traceId', (row) => row.traceId],
  ['principal', (row) => row.principal],
  ['state', (row) => row.record.state],
  ['code', (row) => row.record.code],
  ['question', (row) => row.question],
  ['answer', (row) => row.text],
  ['answerable', (row) => row.record.answerable],
  ['rating', (row) => row.rating],
  ['settingsVersion', (row) => row.settingsVersion],
  ['persona', (row) => row.record.persona],
  ['personaVersion', (row) => row.record.personaVersion],
  // of an answer that was put aside for quotations, too: it was paid for
  ['provider', (row) => row.record.provider ?? row.record.providers?.find(({ outcome }) => outcome === 'answered')?.provider],
  ['model', (row) => row.record.model],
  ['cache', (row) => row.record.cache],
  ['degraded', (row) => (row.record.degraded ?? []).join(' ')],
  ['sources', (row) => (row.record.sources ?? []).map(({ path }) => path).join(' ')],
  ['retrievalMs', (row) => row.record.timings?.retrievalMs],
  ['ttftMs', (row) => row.record.timings?.ttftMs],
  ['totalMs', (row) => row.record.timings?.totalMs],
  ['inputTokens', (row) => row.record.usage?.inputTokens],
  ['outputTokens', (row) => row.record.usage?.outputTokens],
  ['cost', (row) => row.record.usage?.cost],
  ['currency', (row) => row.record.usage?.currency],
]

// the mark in front tells spreadsheets that this is UTF-8
export const csvHead = `\ufeff${columns.map(([name]) => name).join(',')}\r\n`

export function csvLine(row: RecordRow): string {
  return `${columns.map(([, read]) => csvCell(read(row))).join(',')}\r\n`
}

/** RFC 4180. Text that a spreadsheet would run as a formula gets an apostrophe in front. */
export function csvCell(value: unknown): string {
  if (value === undefined || value === null) return ''
  const text = typeof value === 'string' && /^[=+\-@\t\r]/.test(value) ? `'${value}` : String(value)
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
}
