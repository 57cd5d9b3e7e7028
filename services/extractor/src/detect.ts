import { extname } from 'node:path'
import { looksBinary } from './charset.ts'
import { ExtractFailure } from './failure.ts'

export type Format = 'pdf' | 'docx' | 'html' | 'markdown' | 'csv' | 'json' | 'code' | 'plain'

const byExtension: Record<string, Format> = Object.fromEntries(
  (
    [
      ['pdf', 'pdf'],
      ['docx', 'docx docm dotx'],
      ['html', 'html htm xhtml shtml'],
      ['markdown', 'md markdown mdown mkd mdx'],
      ['csv', 'csv tsv'],
      ['json', 'json jsonl ndjson geojson'],
      ['plain', 'txt text log rst adoc asc org tex srt vtt'],
      [
        'code',
        'js mjs cjs ts mts cts tsx jsx py rb go rs java kt scala swift c h cc cpp hpp cs php pl lua r sh bash zsh ps1 sql yaml yml toml ini cfg conf properties xml css scss vue svelte proto graphql tf dockerfile makefile',
      ],
    ] as const
  ).flatMap(([format, names]) => names.split(' ').map((name) => [`.${name}`, format])),
)

const unsupportedExtensions = new Set(
  '.pptx .ppt .xlsx .xls .doc .odt .ods .odp .epub .eml .msg .rtf .wps .pages .key .numbers .png .jpg .jpeg .gif .webp .bmp .tif .tiff .svg .mp3 .mp4 .wav .mov .zip .gz .tar .7z .rar .exe .dll .so .bin .jar'.split(
    ' ',
  ),
)

type Magic = 'pdf' | 'zip' | 'ole' | 'rtf' | 'other'

/** The content decides; the extension must agree with it (ASVS 5.2.2). */
export function detectFormat(path: string, bytes: Uint8Array): Format {
  const extension = extname(path).toLowerCase()
  const expected = byExtension[extension]
  const magic = magicOf(bytes)
  if (expected === 'pdf') return pdfOrFail(bytes, magic)
  if (expected === 'docx') return docxOrFail(magic)
  if (expected) {
    if (magic) throw new ExtractFailure('type_mismatch')
    if (looksBinary(bytes)) throw new ExtractFailure('binary')
    return expected
  }
  if (unsupportedExtensions.has(extension)) throw new ExtractFailure(magic === 'pdf' ? 'type_mismatch' : 'unsupported')
  if (magic === 'pdf' && extension === '') return 'pdf'
  if (magic === 'zip' && extension === '') return 'docx'
  if (magic) throw new ExtractFailure('type_mismatch')
  if (looksBinary(bytes)) throw new ExtractFailure('binary')
  return /^\s*(?:<!doctype html|<html)/i.test(Buffer.from(bytes.subarray(0, 512)).toString('latin1')) ? 'html' : 'plain'
}

function pdfOrFail(bytes: Uint8Array, magic: Magic | undefined): Format {
  const head = Buffer.from(bytes.subarray(0, 1024)).toString('latin1')
  if (magic === 'pdf' || head.includes('%PDF-')) return 'pdf'
  if (magic || !looksBinary(bytes)) throw new ExtractFailure('type_mismatch')
  throw new ExtractFailure('corrupt')
}

function docxOrFail(magic: Magic | undefined): Format {
  if (magic === 'zip' || magic === 'ole') return 'docx'
  throw new ExtractFailure(magic ? 'type_mismatch' : 'corrupt')
}

function magicOf(bytes: Uint8Array): Magic | undefined {
  const hex = Buffer.from(bytes.subarray(0, 16)).toString('hex')
  if (hex.startsWith('255044462d')) return 'pdf'
  if (/^504b(?:0304|0506|0708)/.test(hex)) return 'zip'
  if (hex.startsWith('d0cf11e0a1b11ae1')) return 'ole'
  if (hex.startsWith('7b5c727466')) return 'rtf'
  return /^(?:89504e47|ffd8ff|47494638|1f8b08|7f454c46|52617221|377abcaf|49492a00|4d4d002a|cafebabe|0061736d|4d5a9000|53514c697465)/.test(
    hex,
  )
    ? 'other'
    : undefined
}
