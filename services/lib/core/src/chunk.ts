import type { Locator } from './document.ts'

/** What is indexed: about CHUNK_SIZE characters, cut at structure and sentence ends. */
export type Chunk = {
  ordinal: number
  /** equals the document's text from locator.start to locator.end, unless there is a source */
  text: string
  /** title and heading path found in the content; part of what is embedded */
  header: string
  locator: Locator
  /** sha256 of exactly what is embedded: header, newline, text */
  textHash: string
  /** the section above it, for the prompt; at most 2,000 characters */
  parent: { start: number; end: number; text: string }
  /** taken out of search by the owner */
  isDisabled?: boolean
  /** of a text that the owner replaced, wholly or in part: what was extracted */
  source?: { hash: string; text: string }
  /** hashes of the sources of edits, made of other chunks, whose text was taken out of this one */
  cutBy?: string[]
}

/** Exactly the text that is embedded for a chunk. */
export function embedText(chunk: Pick<Chunk, 'header' | 'text'>): string {
  return chunk.header ? `${chunk.header}\n${chunk.text}` : chunk.text
}
