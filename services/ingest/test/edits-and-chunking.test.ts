import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { until } from '../../lib/testkit/src/until.ts'
import { startTestIngest, type TestIngest } from './start-test-ingest.ts'

type Cut = { sourceHash: string; sourceText: string; enabled: boolean; text?: string }
type ChunkView = {
  id: string
  text: string
  parent: { text: string }
  enabled: boolean
  overridden: boolean
  original?: string
  cutBy?: Cut[]
}
type ChunkList = { items: ChunkView[]; orphaned: Cut[] }

const scope = new AsyncDisposableStack()
let ingest: TestIngest
let id = ''
const part = (name: string) => `The ${name} paragraph says what only it may say. It has a second sentence about the ${name} as well.`
const [first, secret, last] = ['first', 'hidden', 'last'].map(part) as [string, string, string]
const cutAt = (size: number) => writeFileSync(join(ingest.folder, 'own/_docent.yml'), `chunk_size: ${size}\nchunk_overlap: 0\n`)
const list = async () => (await (await ingest.ask(`/documents/${id}/chunks`)).json()) as ChunkList
const patch = (chunkId: string, body: object) =>
  ingest.ask(`/documents/${id}/chunks/${chunkId}`, {
    method: 'PATCH',
    body: JSON.stringify(body),
    headers: { 'content-type': 'application/json' },
  })
const become = (what: string, texts: string[]) =>
  until(what, async () => {
    const { counts } = await ingest.documents()
    const searched = (await ingest.chunks()).map(({ text }) => text)
    return (counts.queued === 0 && counts.indexing === 0 && JSON.stringify(searched) === JSON.stringify(texts)) || undefined
  })
const stateOf = ({ items, orphaned }: ChunkList) => ({ items: items.map(({ id: _, ...chunk }) => chunk), orphaned })
const parents = async () => [...(await ingest.corpus.parentsOf((await ingest.chunks()).map((chunk) => chunk.id))).values()]

beforeAll(async () => {
  ingest = await startTestIngest(scope)
  mkdirSync(join(ingest.folder, 'own'))
  cutAt(120)
  writeFileSync(join(ingest.folder, 'own/three.txt'), [first, secret, last].join('\n\n'))
  ;({ id } = await ingest.reaches('own/three.txt', 'ready'))
  await become('it is cut small', [first, secret, last])
})
afterAll(() => scope.disposeAsync())

test('what was taken out stays out when the folder is cut otherwise, is shown to act there, and all is as before when it is cut so again', async () => {
  await patch((await list()).items[1]!.id, { enabled: false })
  await become('it is out', [first, last])
  const before = await list()
  cutAt(600)
  await become('one chunk is left, without it', [`${first}\n\n${last}`])
  for (const { text } of await parents()) expect(text).not.toContain('hidden')
  const { items, orphaned } = await list()
  expect(orphaned).toEqual([])
  expect(items).toMatchObject([
    { enabled: true, overridden: true, original: [first, secret, last].join('\n\n'), cutBy: [{ sourceText: secret, enabled: false }] },
  ])
  cutAt(120)
  await become('it is cut small again', [first, last])
  expect(stateOf(await list())).toEqual(stateOf(before))
  expect((await ingest.corpus.verify()).findings).toEqual([])
})

test('a chunk that is cut gets its source back by a null text; one of which nothing was left by being enabled', async () => {
  cutAt(600)
  await become('one chunk is left, without it', [`${first}\n\n${last}`])
  const whole = [first, secret, last].join('\n\n')
  const [cut] = (await list()).items
  expect(await (await patch(cut!.id, { enabled: true })).json()).toMatchObject({ text: cut!.text, cutBy: [{ sourceText: secret }] })
  const back = (await (await patch(cut!.id, { text: null })).json()) as ChunkView
  expect(back).toMatchObject({ text: whole, enabled: true, overridden: false })
  expect(back).not.toHaveProperty('cutBy')
  await become('it is whole', [whole])
  const embedded = ingest.embedder.embedded.length
  await patch((await list()).items[0]!.id, { enabled: false })
  await become('nothing is searched', [])
  cutAt(120)
  await until('it is cut small', async () => (await list()).items.length === 3 || undefined)
  await become('still nothing is searched', [])
  const { items } = await list()
  expect(items).toMatchObject([first, secret, last].map((text) => ({ text, enabled: false, cutBy: [{ sourceText: whole }] })))
  expect(ingest.embedder.embedded.length).toBe(embedded)
  expect(await (await patch(items[2]!.id, { enabled: true })).json()).toMatchObject({ text: last, enabled: true })
  await become('it is back in search', [first, secret, last])
})

test('a replacement is searched where its source stood', async () => {
  await patch((await list()).items[1]!.id, { text: 'Put right.' })
  await become('it is replaced', [first, 'Put right.', last])
  cutAt(600)
  await become('it is in the one chunk', [`${first}\n\nPut right.\n\n${last}`])
  const { items } = await list()
  expect(items).toMatchObject([{ enabled: true, cutBy: [{ sourceText: secret, enabled: true, text: 'Put right.' }] }])
  const forgotten = await ingest.ask(`/documents/${id}/chunk-edits/${items[0]!.cutBy![0]!.sourceHash}`, { method: 'DELETE' })
  expect(forgotten.status).toBe(204)
  await become('the source is searched', [[first, secret, last].join('\n\n')])
})
