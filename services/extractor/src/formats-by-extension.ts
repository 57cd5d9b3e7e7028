import { extname } from 'node:path'

export type Format = 'pdf' | 'docx' | 'html' | 'markdown' | 'csv' | 'json' | 'jsonl' | 'code' | 'plain' | 'eml' | 'rtf' | 'image' | Packed
/** Those that are a zip of parts. */
type Packed = 'docx' | 'xlsx' | 'pptx' | 'odt' | 'ods' | 'odp' | 'epub'
export const packed: ReadonlySet<string> = new Set<Packed>(['docx', 'xlsx', 'pptx', 'odt', 'ods', 'odp', 'epub'])

export const byExtension: Record<string, Format> = Object.fromEntries(
  (
    [
      ['pdf', 'pdf'],
      ['docx', 'docx docm dotx'],
      ['html', 'html htm xhtml shtml'],
      ['markdown', 'md markdown mdown mkd mdx'],
      ['csv', 'csv tsv'],
      ['xlsx', 'xlsx xlsm xltx'],
      ['pptx', 'pptx pptm ppsx potx'],
      ['odt', 'odt ott'],
      ['ods', 'ods ots'],
      ['odp', 'odp otp'],
      ['epub', 'epub'],
      ['eml', 'eml'],
      ['rtf', 'rtf'],
      ['image', 'png jpg jpeg jfif tif tiff webp gif'],
      ['json', 'json geojson'],
      ['jsonl', 'jsonl ndjson'],
      ['plain', 'txt text log rst adoc asc org tex srt vtt'],
      [
        'code',
        'js mjs cjs ts mts cts tsx jsx py rb go rs java kt scala swift c h cc cpp hpp cs php pl lua r sh bash zsh ps1 sql yaml yml toml ini cfg conf properties xml css scss vue svelte proto graphql tf dockerfile makefile',
      ],
    ] as const
  ).flatMap(([format, names]) => names.split(' ').map((name) => [`.${name}`, format])),
)

const plain: ReadonlySet<Format> = new Set<Format>(['markdown', 'csv', 'json', 'jsonl', 'code', 'plain'])

/** Read by small readers of our own, whatever the content turns out to be: no parser of another's is loaded for it. */
export function isPlainText(path: string): boolean {
  const format = byExtension[extname(path).toLowerCase()]
  return format !== undefined && plain.has(format)
}
