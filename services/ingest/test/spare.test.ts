import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createFakeEmbedder } from '@docent/models/fake/fake-embedder'
import { expect, test } from 'vitest'
import { until } from '../../lib/testkit/src/until.ts'
import { startTestIngest } from './start-test-ingest.ts'

const BATCH = 16
const book = (name: string) =>
  Array.from({ length: 1_200 }, (_, i) => `Sentence ${i} of ${name} says something about machine number ${i * 7}.`).join(' ')

/** Batches of a book wait, one by one, until they are let go; all else is embedded at once. */
function slowForBooks() {
  const fake = createFakeEmbedder()
  let isOpen = false
  let waiting: (() => void)[] = []
  let asked = 0
  const embedder = {
    ...fake,
    passages: async (...[texts, ...rest]: Parameters<typeof fake.passages>) => {
      if (texts.some((text) => text.includes('book'))) {
        asked++
        if (!isOpen) await new Promise<void>((done) => waiting.push(done))
      }
      return await fake.passages(texts, ...rest)
    },
  }
  return {
    embedder,
    asked: () => asked,
    waiting: () => waiting.length,
    letGo(all: boolean) {
      isOpen = all
      const some = waiting
      waiting = []
      for (const go of some) go()
    },
  }
}

test('a small new file does not wait until large ones are done, and those lose nothing', async () => {
  await using scope = new AsyncDisposableStack()
  const { embedder, waiting, letGo } = slowForBooks()
  const ingest = await startTestIngest(scope, { embedder, env: { INGEST_CONCURRENCY: '2' } })
  const put = (name: string, text: string) => writeFileSync(join(ingest.folder, name), text)
  for (const name of ['book-1', 'book-2', 'book-3']) put(`${name}.txt`, book(name))
  await until('two of them are at work', () => waiting() === 2 || undefined)
  for (const name of ['first', 'second']) {
    put(`${name}.txt`, `The ${name} small one.`)
    await ingest.reaches(`${name}.txt`, 'ready', 20_000)
    // the place that was lent is not taken by the next large one
    const { counts } = await ingest.documents()
    expect(counts).toMatchObject({ indexing: 2, queued: 1 })
  }
  expect(waiting()).toBe(2)
  letGo(true)
  for (const n of [1, 2, 3]) await ingest.reaches(`book-${n}.txt`, 'ready', 30_000)
  const attempts = await Promise.all(
    (await ingest.documents()).items.map(async ({ id }) => (await ingest.corpus.listAttempts(id, 5)).map(({ outcome }) => outcome)),
  )
  expect(attempts).toEqual([['done'], ['done'], ['done'], ['done'], ['done']])
})

test('work on a text that was replaced ends with its batch', async () => {
  await using scope = new AsyncDisposableStack()
  const { embedder, asked, waiting, letGo } = slowForBooks()
  const ingest = await startTestIngest(scope, { embedder })
  writeFileSync(join(ingest.folder, 'a.txt'), book('book-1'))
  await until('its first batch is asked for', () => waiting() === 1 || undefined)
  const { id, contentHash } = (await ingest.documents()).items[0]!
  writeFileSync(join(ingest.folder, 'a.txt'), 'Only one sentence is left.')
  await until('the edit is seen', async () => (await ingest.corpus.findDocument(id))!.contentHash !== contentHash || undefined)
  letGo(true)
  await ingest.reaches('a.txt', 'ready', 20_000)
  expect(asked()).toBe(1)
  expect(embedder.embedded.length).toBeLessThanOrEqual(BATCH + 1)
  const attempts = await ingest.corpus.listAttempts(id, 5)
  expect(attempts.map(({ outcome, code }) => [outcome, code]).reverse()).toEqual([
    ['skipped', 'conflict'],
    ['done', undefined],
  ])
})
