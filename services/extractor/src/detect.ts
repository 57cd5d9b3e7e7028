import { extname } from 'node:path'
import { looksBinary } from './charset.ts'
import { ExtractFailure } from './failure.ts'
import { byExtension, type Format, packed } from './formats-by-extension.ts'

const unsupportedExtensions = new Set(
  '.msg .wps .et .dps .pages .key .numbers .bmp .svg .mp3 .mp4 .wav .mov .zip .gz .tar .7z .rar .exe .dll .so .bin .jar'.split(' '),
)

const legacy: Record<string, string> = {
  '.doc': 'The old .doc format is not read: open the file in Word or LibreOffice and save it as .docx.',
  '.xls': 'The old .xls format is not read: open the file in Excel or LibreOffice and save it as .xlsx.',
  '.ppt': 'The old .ppt format is not read: open the file in PowerPoint or LibreOffice and save it as .pptx.',
  '.msg': "Outlook's .msg format is not read: open the mail and save it as .eml.",
}

type Magic = 'pdf' | 'zip' | 'ole' | 'rtf' | 'other'

/** The content decides; the extension must agree with it (ASVS 5.2.2). */
export function detectFormat(path: string, bytes: Uint8Array): Format {
  const extension = extname(path).toLowerCase()
  const expected = byExtension[extension]
  const magic = magicOf(bytes)
  if (expected === 'pdf') return pdfOrFail(bytes, magic)
  if (expected && packed.has(expected)) return packedOrFail(expected, magic)
  if (expected === 'rtf') return rtfOrFail(bytes, magic)
  if (expected === 'image') return imageOrFail(bytes)
  if (expected) {
    if (expected === 'eml' && !magic && !looksLikeMail(bytes)) throw new ExtractFailure('type_mismatch')
    if (expected === 'eml' && !magic) return expected
    if (magic) throw new ExtractFailure('type_mismatch')
    if (looksBinary(bytes)) throw new ExtractFailure('binary')
    return expected
  }
  if (legacy[extension])
    throw new ExtractFailure(magic === 'ole' ? 'unsupported' : 'type_mismatch', magic === 'ole' ? legacy[extension] : undefined)
  if (unsupportedExtensions.has(extension)) throw new ExtractFailure(magic === 'pdf' ? 'type_mismatch' : 'unsupported')
  if (magic === 'pdf' && extension === '') return 'pdf'
  if (magic === 'zip' && extension === '') return kindOfPackage(bytes)
  if (magic === 'rtf' && extension === '') return 'rtf'
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

function imageOrFail(bytes: Uint8Array): Format {
  if (imageTypeOf(bytes)) return 'image'
  throw new ExtractFailure(magicOf(bytes) || !looksBinary(bytes) ? 'type_mismatch' : 'corrupt')
}

/** The media type of a picture that OCR can read, by its first bytes. */
export function imageTypeOf(bytes: Uint8Array): string | undefined {
  const head = Buffer.from(bytes.subarray(0, 16)).toString('latin1')
  if (head.startsWith('\x89PNG')) return 'image/png'
  if (head.startsWith('\xff\xd8\xff')) return 'image/jpeg'
  if (/^GIF8[79]a/.test(head)) return 'image/gif'
  if (head.startsWith('II*\0') || head.startsWith('MM\0*')) return 'image/tiff'
  return head.startsWith('RIFF') && head.slice(8, 12) === 'WEBP' ? 'image/webp' : undefined
}

/** An Office file under a password is an OLE file that holds the zip; its reader tells the two apart. */
function packedOrFail(expected: Format, magic: Magic | undefined): Format {
  if (magic === 'zip' || magic === 'ole') return expected
  throw new ExtractFailure(magic ? 'type_mismatch' : 'corrupt')
}

function rtfOrFail(bytes: Uint8Array, magic: Magic | undefined): Format {
  if (magic === 'rtf') return 'rtf'
  throw new ExtractFailure(magic || !looksBinary(bytes) ? 'type_mismatch' : 'corrupt')
}

/** A mail begins with header lines; a line of an mbox may stand before them. */
function looksLikeMail(bytes: Uint8Array): boolean {
  return /^(?:\ufeff|ï»¿)?(?:From [^\r\n]{1,200}\r?\n)?[!-9;-~]{1,80}:[ \t\r\n]/.test(
    Buffer.from(bytes.subarray(0, 1024)).toString('latin1'),
  )
}

/** A zip without an extension says by its parts what it is. */
function kindOfPackage(bytes: Uint8Array): Format {
  const names = Buffer.from(bytes).toString('latin1')
  if (names.includes('xl/workbook.xml')) return 'xlsx'
  if (names.includes('ppt/presentation.xml')) return 'pptx'
  if (names.includes('META-INF/container.xml')) return 'epub'
  const odf = /mimetypeapplication\/vnd\.oasis\.opendocument\.(text|spreadsheet|presentation)/.exec(names.slice(0, 200))?.[1]
  return odf === 'text' ? 'odt' : odf === 'spreadsheet' ? 'ods' : odf === 'presentation' ? 'odp' : 'docx'
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
