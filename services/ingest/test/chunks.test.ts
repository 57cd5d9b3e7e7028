import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Principal } from '@docent/core/principal'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { until } from '../../lib/testkit/src/until.ts'
import { startTestIngest, type TestIngest } from './start-test-ingest.ts'

type ChunkView = {
  id: string
  ordinal: number
  text: string
  header: string
  locator: { heading: string[]; start: number; end: number }
  parent: { text: string }
  textHash: string
  enabled: boolean
  overridden: boolean
  original?: string
}
type ChunkList = {
  items: ChunkView[]
  orphaned: { sourceHash: string; sourceText: string; enabled: boolean; text?: string }[]
  next?: string
}

const scope = new AsyncDisposableStack()
const anonymous: Principal = { id: 'someone', kind: 'anonymous', scopes: ['chat', 'read'] }
const foreign: Principal = { id: 'key', kind: 'key', scopes: ['read', 'ingest'], collections: ['other'] }
let ingest: TestIngest
let id = ''
const manual = (warranty: string) => `# Warranty\n\n${warranty}\n\n# Care\n\nWipe it with a dry cloth.\n\n# Price\n\nIt costs nine euros.`
const put = (path: string, text: string) => writeFileSync(join(ingest.folder, path), text)
const list = async (query = '') => (await (await ingest.ask(`/documents/${id}/chunks${query}`)).json()) as ChunkList
const patch = (chunkId: string, body: unknown, principal?: Principal) =>
  ingest.ask(
    `/documents/${id}/chunks/${chunkId}`,
    { method: 'PATCH', body: JSON.stringify(body), headers: { 'content-type': 'application/json' } },
    principal,
  )
const searched = async () => (await ingest.chunks()).filter(({ documentId }) => documentId === id).map(({ text }) => text)
/** Nothing is at work, and the dense index holds exactly what is searched. */
const settled = () =>
  until('all has settled', async () => {
    const { counts } = await ingest.documents()
    if (counts.queued !== 0 || counts.indexing !== 0) return undefined
    const { added, removed } = await ingest.corpus.reconcileDense(await ingest.corpus.activeGeneration('fake-hash', 64))
    return added + removed === 0 || undefined
  })

beforeAll(async () => {
  ingest = await startTestIngest(scope)
  put('manual.md', manual('The warranty lasts two years.'))
  ;({ id } = await ingest.reaches('manual.md', 'ready'))
})
afterAll(() => scope.disposeAsync())

test('the chunks of a document are listed with text, place and parent, page by page', async () => {
  const { items, orphaned, next } = await list()
  expect(items.map(({ locator }) => locator.heading)).toEqual([['Warranty'], ['Care'], ['Price']])
  expect(items[0]).toMatchObject({ enabled: true, overridden: false, ordinal: 0, parent: { text: items[0]!.text } })
  expect([orphaned, next]).toEqual([[], undefined])
  const first = await list('?limit=2')
  expect((await list(`?limit=2&cursor=${first.next}`)).items.map(({ id: chunk }) => chunk)).toEqual([items[2]!.id])
  for (const query of ['?limit=0', '?cursor=x']) expect((await ingest.ask(`/documents/${id}/chunks${query}`)).status).toBe(400)
  expect((await ingest.ask(`/documents/${id}/chunks`, {}, foreign)).status).toBe(404)
})

test('a disabled chunk leaves both indexes and stays listed; enabled again it is back without an embedding', async () => {
  const { items } = await list()
  const before = ingest.embedder.embedded.length
  expect((await patch(items[1]!.id, { enabled: false })).status).toBe(202)
  await until('it is out', async () => ((await searched()).length === 2 ? true : undefined))
  await settled()
  const [, disabled] = (await list()).items
  expect(disabled).toMatchObject({ enabled: false, text: items[1]!.text })
  expect((await ingest.corpus.verify()).findings).toEqual([])
  await patch(disabled!.id, { enabled: true })
  await until('it is back', async () => ((await searched()).length === 3 ? true : undefined))
  await settled()
  expect(ingest.embedder.embedded.length).toBe(before)
})

test('an overridden text is searched instead, outlives an edit elsewhere, and costs one embedding', async () => {
  const price = (await list()).items[2]!
  const before = ingest.embedder.embedded.length
  await patch(price.id, { text: 'It costs ten euros.' })
  await until('it is searched', async () => ((await searched()).includes('It costs ten euros.') ? true : undefined))
  await settled()
  expect(ingest.embedder.embedded.length).toBe(before + 1)
  expect((await list()).items[2]).toMatchObject({ text: 'It costs ten euros.', overridden: true, original: price.text })
  put('manual.md', manual('The warranty lasts three years.'))
  await until('the edit of the file is in', async () => ((await searched()).some((text) => text.includes('three')) ? true : undefined))
  expect(await searched()).toContain('It costs ten euros.')
  expect((await list()).orphaned).toEqual([])
})

test('when its source changes an edit is orphaned, said so, and can be forgotten', async () => {
  put('manual.md', manual('The warranty lasts three years.').replace('nine', 'twelve'))
  await until('the new text is in', async () => ((await searched()).some((text) => text.includes('twelve')) ? true : undefined))
  expect(await searched()).not.toContain('It costs ten euros.')
  const [orphan] = (await list()).orphaned
  expect(orphan).toMatchObject({ text: 'It costs ten euros.', sourceText: expect.stringContaining('nine euros'), enabled: true })
  const forget = () => ingest.ask(`/documents/${id}/chunk-edits/${orphan!.sourceHash}`, { method: 'DELETE' })
  expect((await forget()).status).toBe(204)
  expect((await forget()).status).toBe(404)
  expect((await list()).orphaned).toEqual([])
  await settled()
})

test('an edit made while the document is being indexed is not lost', async () => {
  const [warranty] = (await list()).items
  const release = ingest.extractor.hold()
  await ingest.ask(`/documents/${id}/retry`, { method: 'POST' })
  await ingest.reaches('manual.md', 'indexing')
  expect((await patch(warranty!.id, { text: 'The warranty is void.' })).status).toBe(202)
  release()
  await until('it is searched', async () => ((await searched()).includes('The warranty is void.') ? true : undefined))
  await settled()
})

test('bad edits are refused with a problem', async () => {
  const [chunk] = (await list()).items
  for (const body of [{}, { text: '' }, { text: 'a\0b' }, { text: 'x'.repeat(9_000) }, { enabled: 'no' }, { odd: 1 }])
    expect((await patch(chunk!.id, body)).status).toBe(400)
  expect((await patch('0'.repeat(32), { enabled: false })).status).toBe(404)
  expect((await patch('nonsense', { enabled: false })).status).toBe(400)
  expect((await patch(chunk!.id, { enabled: false }, anonymous)).status).toBe(403)
  expect((await patch(chunk!.id, { enabled: false }, foreign)).status).toBe(404)
})

test('the preview shows what the extractor sees, or why it sees nothing', async () => {
  const text = manual('The warranty lasts three years.').replace('nine', 'twelve')
  const whole = (await (await ingest.ask(`/documents/${id}/preview`)).json()) as {
    text: string
    blocks: { start: number }[]
    length: number
  }
  expect(whole).toMatchObject({ text, length: text.length, mediaType: 'text/plain', notes: [] })
  expect(whole.blocks).toHaveLength(6)
  const part = await (await ingest.ask(`/documents/${id}/preview?offset=2&limit=8`)).json()
  expect(part).toMatchObject({ text: 'Warranty', offset: 2, next: 10, blocks: [{ kind: 'heading', start: 0 }] })
  ingest.extractor.failWith('locked.txt', 422, 'encrypted')
  put('locked.txt', 'locked')
  const locked = await ingest.reaches('locked.txt', 'failed')
  const refused = await ingest.ask(`/documents/${locked.id}/preview`)
  expect([refused.status, ((await refused.json()) as { code: string }).code]).toEqual([422, 'encrypted'])
  put('picture.bmp', 'no text')
  const picture = await ingest.reaches('picture.bmp', 'skipped')
  expect((await ingest.ask(`/documents/${picture.id}/preview`)).status).toBe(422)
  for (const query of ['?offset=-1', '?limit=0']) expect((await ingest.ask(`/documents/${id}/preview${query}`)).status).toBe(400)
})
