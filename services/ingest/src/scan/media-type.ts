import { extname } from 'node:path'

const byType: Record<string, string> = {
  'application/pdf': 'pdf',
  'application/vnd.openxmlformats-officedocument.wordprocessingml.document': 'docx docm dotx',
  'text/html': 'html htm xhtml shtml',
  'text/markdown': 'md markdown mdown mkd mdx',
  'text/csv': 'csv tsv',
  'application/json': 'json jsonl ndjson geojson',
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

export const supportedFormats = 'PDF, DOCX, HTML, Markdown, text, CSV, JSON and source code'
