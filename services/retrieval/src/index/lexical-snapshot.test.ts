import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, truncateSync, utimesSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import type { IndexedChunk } from '@docent/corpus/corpus'
import { expect, test } from 'vitest'
import { createChunkIndex } from './chunk-index.ts'
import { MAKERS, readSnapshot, writeSnapshot } from './snapshot-file.ts'

const words = ['保修', '退款', 'gateway', 'warranty', '无线网络', 'ERR_OOM', 'refunds', '三个工作日', 'v2.3.1', '密码']

/** A document of three chunks, each with a few of the words. */
function document(n: number, version = 1): IndexedChunk[] {
  return [0, 1, 2].map((ordinal) => {
    const text = [0, 1, 2, 3].map((i) => words[(n * 7 + ordinal * 3 + i * i + version) % words.length]).join(' ')
    return {
      id: `${n}-${version}-${ordinal}`,
      documentId: `document-${n}`,
      version,
      ordinal,
      path: `notes/${n % 4}/${n}.md`,
      collection: 'default',
      readers: null,
      mediaType: 'text/markdown',
      modifiedAt: new Date(0),
      language: 'en' as const,
      title: `Note ${n}`,
      header: `Note ${n}`,
      text,
      page: null,
      place: null,
      heading: [],
      start: 0,
      end: text.length,
      textHash: `Note ${n}\n${text}`,
    }
  })
}

function indexOf(documents: readonly IndexedChunk[][]) {
  const index = createChunkIndex()
  for (const chunks of documents) index.replace(chunks[0]!.documentId, chunks)
  return index
}

/** All that is found for each word and for two together, with scores, in an order that does not hang on numbers. */
function findings(index: ReturnType<typeof createChunkIndex>) {
  const terms = [...words, 'note', 'notes'].map((word) => word.toLowerCase())
  return terms.map((term, i) => {
    const wanted = [term, terms[(i + 3) % terms.length]!].map((one) => ({ term: one, weight: 1 }))
    const hits = index
      .seenBy(undefined)
      .search(wanted, 1_000)
      .map(({ chunk, score }) => `${score.toFixed(5)} ${chunk.id}`)
    return { term, frequency: index.seenBy(undefined).frequency(term), hits: hits.sort() }
  })
}

function place(): Disposable & { path: string; folder: string } {
  const folder = mkdtempSync(join(tmpdir(), 'docent-snapshot-'))
  return { folder, path: join(folder, 'words.snapshot'), [Symbol.dispose]: () => rmSync(folder, { recursive: true, force: true }) }
}

test('an index goes on from a snapshot: what changed meanwhile is read, what is gone counts no more', async () => {
  using where = place()
  const before = Array.from({ length: 40 }, (_, n) => document(n))
  await writeSnapshot(where.path, indexOf(before).snapshot())
  expect(readdirSync(where.folder)).toEqual(['words.snapshot'])

  const now = [...before.slice(5, 38), document(38, 2), document(41)]
  const index = createChunkIndex()
  index.adopt((await readSnapshot(where.path))!)
  for (const chunks of now) index.replace(chunks[0]!.documentId, chunks)
  const { reused, left } = index.settle()
  expect(reused).toBeGreaterThanOrEqual(33 * 3)
  expect(reused + left).toBe(40 * 3)
  expect(index.size).toBe(now.length * 3)
  expect(findings(index)).toEqual(findings(indexOf(now)))

  // and lives on like any other
  index.replace('document-7', [])
  index.replace('document-9', document(9, 3))
  const then = now
    .filter(([first]) => first!.documentId !== 'document-7')
    .map((chunks) => (chunks[0]!.documentId === 'document-9' ? document(9, 3) : chunks))
  expect(findings(index)).toEqual(findings(indexOf(then)))
})

test('a snapshot of a snapshot, and of an index that was compacted, says the same', async () => {
  using where = place()
  const documents = Array.from({ length: 900 }, (_, n) => document(n))
  const first = indexOf(documents)
  for (let n = 0; n < 800; n++) first.replace(`document-${n}`, []) // more than are left, so that it is compacted
  expect(first.snapshot().lexical.lengths.length).toBeLessThan(900 * 3)
  const rest = documents.slice(800)
  let index = first
  for (let round = 0; round < 2; round++) {
    await writeSnapshot(where.path, index.snapshot())
    index = createChunkIndex()
    index.adopt((await readSnapshot(where.path))!)
    for (const chunks of rest) index.replace(chunks[0]!.documentId, chunks)
    expect(index.settle()).toMatchObject({ reused: 300 })
    expect(findings(index)).toEqual(findings(indexOf(rest)))
  }
})

test('a text that stands in a file twice is claimed twice', async () => {
  using where = place()
  const twice = document(1)
  twice[1] = { ...twice[1]!, text: twice[0]!.text, textHash: twice[0]!.textHash }
  await writeSnapshot(where.path, indexOf([twice]).snapshot())
  const index = createChunkIndex()
  index.adopt((await readSnapshot(where.path))!)
  index.replace('document-1', twice)
  expect(index.settle()).toEqual({ reused: 3, left: 0 })
  expect(findings(index)).toEqual(findings(indexOf([twice])))
})

test('no file is none; a damaged, cut or foreign one is refused with its reason', async () => {
  using where = place()
  expect(await readSnapshot(where.path)).toBeUndefined()
  await writeSnapshot(where.path, indexOf([document(1), document(2)]).snapshot())
  const whole = readFileSync(where.path)

  const bent = Buffer.from(whole)
  bent[whole.length >> 1]! ^= 1
  writeFileSync(where.path, bent)
  await expect(readSnapshot(where.path)).rejects.toThrow('checksum')

  writeFileSync(where.path, whole)
  truncateSync(where.path, whole.length - 100)
  await expect(readSnapshot(where.path)).rejects.toThrow('bytes')

  writeFileSync(where.path, whole.toString('latin1').replace(/"madeBy":"./, '"madeBy":"x'), 'latin1')
  await expect(readSnapshot(where.path)).rejects.toThrow('another version')

  writeFileSync(where.path, 'something else'.repeat(100))
  await expect(readSnapshot(where.path)).rejects.toThrow('another kind')
})

test('while another replica writes nothing is written; what a killed one left is no hindrance', async () => {
  using where = place()
  const snapshot = indexOf([document(1)]).snapshot()
  writeFileSync(`${where.path}.part`, 'half')
  expect(await writeSnapshot(where.path, snapshot)).toBe(false)
  expect(await readSnapshot(where.path)).toBeUndefined()
  const longAgo = new Date(Date.now() - 3_600_000)
  utimesSync(`${where.path}.part`, longAgo, longAgo)
  expect(await writeSnapshot(where.path, snapshot)).toBe(true)
  expect(statSync(where.path).size).toBeGreaterThan(1_000)
})

test('the version of a snapshot follows from every module that makes terms or lays them out', () => {
  const { resolve } = createRequire(import.meta.url)
  const known = new Set(MAKERS.map((name) => resolve(name)))
  const sources = (file: string) => [...readFileSync(file, 'utf8').matchAll(/^import (?!type )[^']*'([^']+)'/gm)].map(([, name]) => name!)
  const missing = [...known].flatMap((file) =>
    sources(file)
      .filter((name) => name.startsWith('.') || name.startsWith('@docent/'))
      .map((name) => (name.startsWith('.') ? join(dirname(file), name) : resolve(name)))
      .filter((needed) => !known.has(needed)),
  )
  expect(missing).toEqual([])
})
