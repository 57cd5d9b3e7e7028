import { zipSync } from 'fflate'
import mammoth from 'mammoth'
import { ExtractFailure } from '../failure.ts'
import type { Extracted } from '../types.ts'
import { extractHtml } from './html.ts'
import { readZipDirectory, readZipEntry } from './zip.ts'

export const docxType = 'application/vnd.openxmlformats-officedocument.wordprocessingml.document'

const needed = /^(?:\[Content_Types\]\.xml|_rels\/\.rels|docProps\/core\.xml|word\/(?:[^/]+\.xml|_rels\/[^/]+\.rels))$/
const MAX_XML_BYTES = 30 * 1024 * 1024
const MAX_XML_DEPTH = 1_000

// Word in Chinese names its styles in Chinese; mammoth knows the English ones.
const styleMap = [
  "p[style-name='Title'] => h1:fresh",
  "p[style-name='标题'] => h1:fresh",
  "p[style-name='標題'] => h1:fresh",
  "p[style-name='Subtitle'] => p:fresh",
  ...[1, 2, 3, 4, 5, 6].flatMap((level) => ['标题', '標題'].map((word) => `p[style-name='${word} ${level}'] => h${level}:fresh`)),
]

export async function extractDocx(bytes: Buffer, maxChars: number): Promise<Extracted> {
  if (bytes.readUInt32LE(0) === 0xe011cfd0)
    throw new ExtractFailure(bytes.includes(Buffer.from('EncryptedPackage', 'utf16le')) ? 'encrypted' : 'type_mismatch')
  const parts = checkedParts(bytes)
  const core = parts['docProps/core.xml']
  const { value, messages } = await mammoth.convertToHtml(
    { buffer: Buffer.from(zipSync(parts, { level: 0 })) },
    // The picture is never opened: it may be a link to /dev/zero (CVE-2025-11849).
    {
      styleMap,
      externalFileAccess: false,
      includeEmbeddedStyleMap: false,
      convertImage: mammoth.images.imgElement(async () => ({ src: '' })),
    },
  )
  const html = value.replace(/<a href="#(?:foot|end)note-ref-[^"<>]{1,80}">↑<\/a>/g, '')
  const extracted = extractHtml(html, { maxChars, mediaType: docxType, title: core ? coreTitle(core) : undefined, isArticle: false })
  if (messages.some((message) => message.type === 'error')) extracted.notes.push('some parts of the document could not be read')
  return extracted
}

/** Only the parts we need, inflated under limits and packed anew: the parser never sees the sender's archive. */
function checkedParts(bytes: Buffer): Record<string, Uint8Array> {
  const entries = readZipDirectory(bytes)
  if (!entries.some((entry) => entry.name === 'word/document.xml')) {
    throw new ExtractFailure(
      entries.some((entry) => entry.name === '[Content_Types].xml' || entry.name === 'mimetype') ? 'type_mismatch' : 'corrupt',
    )
  }
  const parts: Record<string, Uint8Array> = {}
  let left = MAX_XML_BYTES
  for (const entry of entries.filter((one) => needed.test(one.name))) {
    const content = readZipEntry(bytes, entry, left)
    left -= content.length
    checkXml(content)
    parts[entry.name] = content
  }
  return parts
}

/** Office writes no DOCTYPE and no deep trees: either is an attack on the XML parser. */
function checkXml(content: Buffer): void {
  if (content.includes('<!DOCTYPE') || content.includes('<!ENTITY')) throw new ExtractFailure('corrupt')
  let depth = 0
  for (let at = content.indexOf('<'); at >= 0; at = content.indexOf('<', at + 1)) {
    const next = content[at + 1]
    if (next === SLASH) depth--
    else if (next !== QUESTION && next !== BANG) {
      const close = content.indexOf('>', at)
      if (close < 0) throw new ExtractFailure('corrupt')
      if (content[close - 1] !== SLASH) depth++
    }
    if (depth > MAX_XML_DEPTH) throw new ExtractFailure('corrupt')
  }
}

const SLASH = 0x2f
const QUESTION = 0x3f
const BANG = 0x21

function coreTitle(core: Uint8Array): string | undefined {
  const text = Buffer.from(core.subarray(0, 64 * 1024)).toString('utf8')
  const title = /<dc:title>([^<]{1,400})<\/dc:title>/.exec(text)?.[1]
  return title?.replaceAll('&lt;', '<').replaceAll('&gt;', '>').replaceAll('&quot;', '"').replaceAll('&amp;', '&').trim() || undefined
}
