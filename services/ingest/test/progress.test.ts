import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { DocumentView } from '@docent/core/document'
import { createFakeEmbedder } from '@docent/models/fake/fake-embedder'
import { expect, test } from 'vitest'
import { until } from '../../lib/testkit/src/until.ts'
import { startTestIngest } from './start-test-ingest.ts'

test('a document tells how far it is while it is indexed, and no longer than that', async () => {
  await using scope = new AsyncDisposableStack()
  const fake = createFakeEmbedder()
  const gate = Promise.withResolvers<void>()
  const embedder = {
    ...fake,
    // the first batch comes at once, the next one when the test has looked
    passages: async (...asked: Parameters<typeof fake.passages>) => {
      if (fake.embedded.length > 0) await gate.promise
      return await fake.passages(...asked)
    },
  }
  const ingest = await startTestIngest(scope, { embedder })
  const left = new AbortController()
  const events = await ingest.ask('/documents/events', { signal: left.signal })
  const lines = Array.from({ length: 150 }, (_, i) => `Sentence ${i} of the long text says something about machine number ${i * 7}.`)
  writeFileSync(join(ingest.folder, 'long.txt'), lines.join(' '))
  const { id } = await ingest.reaches('long.txt', 'indexing')
  const view = async () => (await (await ingest.ask(`/documents/${id}`)).json()) as DocumentView
  const half = await until('one batch is done', async () => ((await view()).progress?.done === 16 ? await view() : undefined))
  expect(half).toMatchObject({ state: 'indexing', progress: { stage: 'embed', done: 16 } })
  const { total } = half.progress!
  gate.resolve()
  const ready = await ingest.reaches('long.txt', 'ready')
  expect(ready).toMatchObject({ chunks: total })
  expect(ready).not.toHaveProperty('progress')
  let told = ''
  for await (const part of events.body!.pipeThrough(new TextDecoderStream())) {
    told += part
    if (told.includes('"state":"ready"')) break
  }
  left.abort()
  expect([...told.matchAll(/"done":(\d+)/g)].map(([, done]) => Number(done))).toEqual([0, 16, total])
})

test('the pages of a document are told while it is extracted, and a failure after them is its own', async () => {
  await using scope = new AsyncDisposableStack()
  const ingest = await startTestIngest(scope)
  const left = new AbortController()
  const events = await ingest.ask('/documents/events', { signal: left.signal })
  const go = ingest.extractor.hold()
  writeFileSync(join(ingest.folder, 'long.txt'), 'One sentence.')
  const { id } = await ingest.reaches('long.txt', 'indexing')
  const seen = async () => ((await (await ingest.ask(`/documents/${id}`)).json()) as DocumentView).progress
  await until('it is being extracted', async () => ingest.extractor.asked.has('long.txt') || undefined)
  expect(await seen()).toEqual({ stage: 'extract', done: 0, total: 0 })
  for (const progress of [
    { stage: 'extract', unit: 'page', done: 120, total: 250 },
    { stage: 'ocr', unit: 'page', done: 3, total: 50 },
  ] as const) {
    ingest.extractor.tell('long.txt', progress)
    await until('the page is shown', async () => ((await seen())?.done === progress.done ? true : undefined))
    expect(await seen()).toEqual(progress)
  }
  ingest.extractor.failWith('long.txt', 422, 'parser_memory')
  go()
  expect(await ingest.reaches('long.txt', 'failed')).toMatchObject({ error: { code: 'parser_memory' } })
  let told = ''
  for await (const part of events.body!.pipeThrough(new TextDecoderStream())) {
    told += part
    if (told.includes('"state":"failed"')) break
  }
  left.abort()
  expect(told).toContain('"progress":{"stage":"extract","unit":"page","done":120,"total":250}')
  expect(told).toContain('"progress":{"stage":"ocr","unit":"page","done":3,"total":50}')
})
