import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { sentencesOf } from '@docent/core/text/sentences'
import type { IndexedChunk } from '@docent/corpus/corpus'

export type Library = { chunks: Generator<IndexedChunk[]>; questions: string[] }

const CHARACTERS = 500
const PER_DOCUMENT = 50

/**
 * Documents of 50 chunks of about 500 characters, half Chinese, half English, from shuffled sentences of the evaluation sets (or of the
 * sample folder), each chunk with a number and an identifier of its own. The same seed makes the same library.
 */
export function makeLibrary(chunks: number, sources: { setsFolder: string | undefined; sampleFolder: string }): Library {
  const { zh, en, questions } = sources.setsFolder ? fromSets(sources.setsFolder) : fromSample(sources.sampleFolder)
  const random = seeded(7)
  const pick = <T>(list: readonly T[]) => list[Math.floor(random() * list.length)]!

  function* documents(): Generator<IndexedChunk[]> {
    for (let from = 0, n = 0; from < chunks; from += PER_DOCUMENT, n++) {
      const language = n % 2 === 0 ? ('zh' as const) : ('en' as const)
      const documentId = uuidOf(n)
      const title = language === 'zh' ? `第${n}号手册` : `Handbook ${n}`
      const document: IndexedChunk[] = []
      for (let ordinal = 0; ordinal < Math.min(PER_DOCUMENT, chunks - from); ordinal++) {
        let text = `ERR_${n}${ordinal} ${Math.floor(random() * 100_000)}`
        while (text.length < CHARACTERS * 0.9) text += ` ${pick(language === 'zh' ? zh : en)}`
        text = text.slice(0, CHARACTERS)
        document.push({
          id: hash(`${n}:${ordinal}`).slice(0, 32),
          documentId,
          version: 1,
          ordinal,
          path: `${language}/${n % 40}/${title}.md`,
          collection: n % 10 === 0 ? 'board' : 'default',
          readers: null,
          mediaType: 'text/markdown',
          modifiedAt: new Date(Date.UTC(2026, 0, 1 + (n % 300))),
          language,
          title,
          header: title,
          text,
          page: null,
          place: null,
          heading: [title],
          start: ordinal * CHARACTERS,
          end: ordinal * CHARACTERS + text.length,
          textHash: hash(text),
        })
      }
      yield document
    }
  }
  return { chunks: documents(), questions }
}

type Sentences = { zh: string[]; en: string[]; questions: string[] }

function fromSets(folder: string): Sentences {
  const read = (name: string) =>
    JSON.parse(readFileSync(join(folder, `${name}.json`), 'utf8')) as { docs: { text: string }[]; queries: { q: string }[] }
  const sets = { zh: [read('cmrc_dev'), read('drcd_dev'), read('xquad_zh')], en: [read('clapnq_dev'), read('xquad_en')] }
  const textsOf = (list: typeof sets.zh) => list.flatMap(({ docs }) => docs.flatMap(({ text }) => split(text)))
  const asked = [...sets.zh, ...sets.en].flatMap(({ queries }) => queries.slice(0, 100).map(({ q }) => q))
  return { zh: textsOf(sets.zh), en: textsOf(sets.en), questions: asked }
}

function fromSample(folder: string): Sentences {
  const texts = readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((path) => /\.(md|txt|html)$/.test(path))
    .flatMap((path) => split(readFileSync(join(folder, path), 'utf8')))
  const zh = texts.filter((text) => /\p{Script=Han}/u.test(text))
  const en = texts.filter((text) => !/\p{Script=Han}/u.test(text))
  return { zh, en, questions: [...zh, ...en].map((text) => text.slice(0, 25)).slice(0, 400) }
}

function split(text: string): string[] {
  return sentencesOf(text)
    .map(({ start, end }) => text.slice(start, end).trim())
    .filter((sentence) => sentence.length > 5)
}

function hash(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}

function uuidOf(n: number): string {
  return `00000000-0000-4000-8000-${n.toString(16).padStart(12, '0')}`
}

/** mulberry32 */
export function seeded(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296
  }
}
