import { extname } from 'node:path'

const byType: Record<string, string> = {
  'application/pdf': 'pdf',
  'application/vnd.openxmlformats-officedocument.wordprocessingml.document': 'docx docm dotx',
  'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet': 'xlsx xlsm xltx',
  'application/vnd.openxmlformats-officedocument.presentationml.presentation': 'pptx pptm ppsx potx',
  'application/vnd.oasis.opendocument.text': 'odt ott',
  'application/vnd.oasis.opendocument.spreadsheet': 'ods ots',
  'application/vnd.oasis.opendocument.presentation': 'odp otp',
  'application/epub+zip': 'epub',
  'application/rtf': 'rtf',
  'message/rfc822': 'eml',
  'image/png': 'png',
  'image/jpeg': 'jpg jpeg jfif',
  'image/tiff': 'tif tiff',
  'image/webp': 'webp',
  'image/gif': 'gif',
  'text/html': 'html htm xhtml shtml',
  'text/markdown': 'md markdown mdown mkd mdx',
  'text/csv': 'csv tsv',
  'application/json': 'json geojson',
  'application/jsonl': 'jsonl ndjson',
  'text/plain':
    'txt text log rst adoc asc org tex srt vtt js mjs cjs ts mts cts tsx jsx py rb go rs java kt scala swift c h cc cpp hpp cs php pl lua r sh bash zsh ps1 sql yaml yml toml ini cfg conf properties xml css scss vue svelte proto graphql tf dockerfile makefile',
}
const types = new Map(
  Object.entries(byType).flatMap(([type, extensions]) => extensions.split(' ').map((extension) => [extension, type] as const)),
)

/** The media type that a name promises; undefined where Docent reads no such format. The extractor looks at the bytes. */
export function mediaTypeOf(path: string): string | undefined {
  const extension = extname(path).slice(1).toLowerCase()
  return extension === '' ? 'text/plain' : types.get(extension)
}

export const supportedFormats =
  'PDF, DOCX, XLSX, PPTX, ODT, ODS, ODP, EPUB, EML, RTF, HTML, Markdown, text, CSV, JSON, JSONL, source code, and PNG, JPEG, TIFF, WebP and GIF by OCR'

const successors = new Map([
  ['doc', '.docx'],
  ['xls', '.xlsx'],
  ['ppt', '.pptx'],
  ['msg', '.eml'],
])

/** What to do with a document in a format that Docent does not read but its program can save anew; undefined for anything else. */
export function adviceFor(path: string): string | undefined {
  const extension = extname(path).slice(1).toLowerCase()
  const successor = successors.get(extension)
  return successor && `The format .${extension} is not read: open the file in its program or in LibreOffice and save it as ${successor}.`
}
