import { createBuilder } from '../document-builder.ts'
import type { Extracted } from '../types.ts'
import { unwrap, wrapWidthOf } from './unwrap.ts'

/** Paragraphs are what blank lines separate, without the line breaks of a text that was wrapped by hand; headings are not guessed. */
export function extractPlain(text: string, maxChars: number): Extracted {
  const builder = createBuilder(maxChars)
  const width = wrapWidthOf(text.split(/\r\n?|\n/).map((line) => line.trimEnd()))
  for (const paragraph of splitParagraphs(text)) {
    builder.add('paragraph', width === undefined ? paragraph : unwrap(paragraph.split('\n'), width).join('\n'))
  }
  return builder.build('text/plain')
}

const CODE_BLOCK_CHARS = 2_000

/** Source text stays as it is; blank lines near the block size are where it is cut. */
export function extractCode(text: string, mediaType: string, maxChars: number): Extracted {
  const builder = createBuilder(maxChars)
  let gathered: string[] = []
  let size = 0
  const flush = () => {
    if (gathered.length > 0) builder.add('code', gathered.join('\n\n'))
    gathered = []
    size = 0
  }
  for (const paragraph of splitParagraphs(text)) {
    if (size > 0 && size + paragraph.length > CODE_BLOCK_CHARS) flush()
    gathered.push(paragraph)
    size += paragraph.length
  }
  flush()
  return builder.build(mediaType)
}

function* splitParagraphs(text: string): Generator<string> {
  let lines: string[] = []
  for (const line of text.replace(/\r\n?/g, '\n').split('\n')) {
    if (line.trim()) lines.push(line.trimEnd())
    else if (lines.length > 0) {
      yield lines.join('\n')
      lines = []
    }
  }
  if (lines.length > 0) yield lines.join('\n')
}
