import PostalMime, { type Address, type Attachment, type Email } from 'postal-mime'
import { atPlace, createBuilder, type DocumentBuilder } from '../document-builder.ts'
import { ExtractFailure } from '../failure.ts'
import type { Ocr } from '../ocr.ts'
import type { Extracted, Job, Tell } from '../types.ts'
import { addHtml } from './html.ts'

export const emlType = 'message/rfc822'

const MAX_ATTACHMENTS = 50
const MAX_DEPTH = 3
const MAX_NESTING = 50
const locked = /^(?:application\/(?:x-)?pkcs7-mime|application\/pgp-encrypted)$/

/** Subject, who and when, the body, then every attachment that is itself a document; one that cannot be read is named in a note. */
export async function extractEml(bytes: Buffer, job: Job, maxChars: number, ocr: Ocr, tell: Tell): Promise<Extracted> {
  const mail = await PostalMime.parse(bytes, {
    forceRfc822Attachments: true,
    maxNestingDepth: MAX_NESTING,
    attachmentEncoding: 'arraybuffer',
  }).catch((error: unknown) => {
    throw new ExtractFailure('corrupt', undefined, { cause: error })
  })
  if (mail.headers.length === 0) throw new ExtractFailure('corrupt')
  const builder = createBuilder(maxChars)
  builder.heading(1, mail.subject ?? '')
  builder.add('paragraph', headerLines(mail))
  const text = mail.text?.trim()
  if (text) addText(text, builder)
  else if (mail.html?.trim()) addHtml(mail.html, builder, false)
  else if (mail.attachments.some((one) => locked.test(one.mimeType))) throw new ExtractFailure('encrypted')

  const attachments = mail.attachments.slice(0, MAX_ATTACHMENTS)
  if (attachments.length < mail.attachments.length)
    builder.note(`only the first ${MAX_ATTACHMENTS} of ${mail.attachments.length} attachments were read`)
  for (const [i, attachment] of attachments.entries()) {
    tell('extract', 'attachment', i, attachments.length)
    await addAttachment(attachment, nameOf(attachment, i + 1), { job, ocr, tell }, builder)
  }
  return builder.build(emlType, { title: mail.subject })
}

function headerLines(mail: Email): string {
  const lines = [
    ['From', mail.from && [mail.from]],
    ['To', mail.to],
    ['Cc', mail.cc],
  ] as const
  return [
    ...lines.map(([name, who]) => (who?.length ? `${name}: ${who.flatMap(written).join(', ')}` : '')),
    mail.date ? `Date: ${mail.date}` : '',
  ]
    .filter(Boolean)
    .join('\n')
}

function written(who: Address): string[] {
  if (who.group) return who.group.flatMap(written)
  return [who.name && who.name !== who.address ? `${who.name} <${who.address}>` : who.address]
}

function addText(text: string, builder: DocumentBuilder): void {
  for (const paragraph of text.replace(/\r\n?/g, '\n').split(/\n[ \t>]*\n/)) builder.add('paragraph', paragraph)
}

type Mail = { job: Job; ocr: Ocr; tell: Tell }

async function addAttachment(attachment: Attachment, name: string, { job, ocr, tell }: Mail, builder: DocumentBuilder): Promise<void> {
  const depth = (job.depth ?? 0) + 1
  const content = Buffer.from(attachment.content as ArrayBuffer)
  try {
    if (depth > MAX_DEPTH) throw new ExtractFailure('bomb', 'It lies in too many mails.')
    const path = attachment.mimeType === emlType && !/\.eml$/i.test(name) ? `${name}.eml` : name
    const { extract } = await import('../extract.ts')
    // the mail counts its attachments; what is slow in one of them is told, too
    const tellSlow: Tell = (stage, ...figures) => stage === 'ocr' && tell(stage, ...figures)
    const inner = await extract(content, { path, size: content.length, maxOutputBytes: builder.room(), depth }, ocr, tellSlow)
    append(inner, name, builder)
  } catch (error) {
    // The mail itself is fine; what its attachment lacks is said, not hidden.
    const code = error instanceof ExtractFailure ? error.code : 'corrupt'
    builder.note(`the attachment ${name} was not read: ${code}`)
  }
}

function append(inner: Extracted, name: string, builder: DocumentBuilder): void {
  builder.leaveHeadings()
  atPlace(builder, { attachment: name }).heading(1, name)
  for (const block of inner.blocks) {
    const place = { ...block, attachment: block.attachment ? `${name} › ${block.attachment}` : name }
    if (block.kind === 'heading') builder.heading((block.level ?? 1) + 1, block.text, place)
    else builder.add(block.kind, block.text, place)
  }
  for (const note of inner.notes) builder.note(`${name}: ${note}`)
}

function nameOf(attachment: Attachment, n: number): string {
  const extension = attachment.mimeType === emlType ? 'eml' : attachment.mimeType === 'text/plain' ? 'txt' : 'bin'
  const name = attachment.filename?.replace(/[\s/\\]+/g, ' ').trim()
  return name ? name.slice(0, 200) : `attachment-${n}.${extension}`
}
