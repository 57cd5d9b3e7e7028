export type Counters = {
  /** `format,outcome` → how many; the format is the extension if it is one of ours, else `other`. */
  extracted: Record<string, number>
  childCrashes: number
  secondsTotal: number
  bytesTotal: number
  active: number
}

const formats = new Set([
  ...['pdf', 'docx', 'xlsx', 'pptx', 'odt', 'ods', 'odp', 'epub', 'eml', 'rtf'],
  ...['html', 'htm', 'md', 'txt', 'csv', 'json', 'jsonl'],
  ...['png', 'jpg', 'jpeg', 'tif', 'tiff', 'webp', 'gif'],
])

export function createCounters(): Counters {
  return { extracted: {}, childCrashes: 0, secondsTotal: 0, bytesTotal: 0, active: 0 }
}

export function countExtraction(counters: Counters, path: string, outcome: string, seconds: number): void {
  const extension = path.slice(path.lastIndexOf('.') + 1).toLowerCase()
  const key = `${formats.has(extension) ? extension : 'other'},${outcome}`
  counters.extracted[key] = (counters.extracted[key] ?? 0) + 1
  counters.secondsTotal += seconds
  if (outcome === 'parser_crash') counters.childCrashes++
}
