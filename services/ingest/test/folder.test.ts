import { copyFileSync, lstatSync, mkdirSync, renameSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs'
import { appendFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { until } from '../../lib/testkit/src/until.ts'
import { startTestIngest, type TestIngest } from './start-test-ingest.ts'

const scope = new AsyncDisposableStack()
let ingest: TestIngest
let embeddedBefore = 0
const put = (path: string, text: string) => writeFileSync(join(ingest.folder, path), text)
const embedded = () => ingest.embedder.embedded.length - embeddedBefore

beforeAll(async () => {
  ingest = await startTestIngest(scope)
  // enough company that the removal of a few files is no mass removal
  for (let i = 0; i < 30; i++) put(`company-${i}.txt`, `This is file number ${i}, which keeps the others company.`)
  for (let i = 0; i < 30; i++) await ingest.reaches(`company-${i}.txt`, 'ready')
})
beforeEach(() => {
  embeddedBefore = ingest.embedder.embedded.length
})
afterAll(() => scope.disposeAsync())

const manual = (warranty: string) =>
  `# Warranty\n\n${warranty}\n\n# Care\n\nWipe it with a dry cloth. Do not wash it.\n\n# 保养\n\n请用干布擦拭。请勿水洗。`

test('a new file becomes ready, its chunks are the text of the file and are found by their vectors', async () => {
  put('manual.md', manual('The warranty lasts two years.'))
  const document = await ingest.reaches('manual.md', 'ready')
  expect(document).toMatchObject({ chunks: 3, mediaType: 'text/markdown', collection: 'default' })
  const chunks = (await ingest.chunks()).filter((chunk) => chunk.documentId === document.id)
  expect(chunks.map((chunk) => chunk.heading)).toEqual([['Warranty'], ['Care'], ['保养']])
  const text = manual('The warranty lasts two years.')
  for (const chunk of chunks) expect(chunk.text).toBe(text.slice(chunk.start, chunk.end))

  const generation = await ingest.corpus.activeGeneration('fake-hash', 64)
  const vector = await ingest.embedder.query('Warranty\n# Warranty\n\nThe warranty lasts two years.', AbortSignal.timeout(1_000))
  const [best] = await ingest.corpus.searchDense(vector, 3, generation, AbortSignal.timeout(3_000))
  expect(best!.chunkId).toBe(chunks[0]!.id)
  expect(best!.score).toBeGreaterThan(0.95)
})

test('an edited paragraph costs the embedding of its chunk only, and the version flips as a whole', async () => {
  const before = await ingest.reaches('manual.md', 'ready')
  put('manual.md', manual('The warranty lasts three years.'))
  await until(
    'the new text is active',
    async () => (await ingest.chunks()).some((chunk) => chunk.text.includes('three years')) || undefined,
  )
  const after = await ingest.reaches('manual.md', 'ready')
  expect(after.id).toBe(before.id)
  expect(embedded()).toBe(1)
  const chunks = (await ingest.chunks()).filter((chunk) => chunk.documentId === after.id)
  expect(new Set(chunks.map((chunk) => chunk.version)).size).toBe(1)
  expect(chunks.some((chunk) => chunk.text.includes('two years'))).toBe(false)
  expect(await (await ingest.ask(`/documents/by-version/${after.id}/${chunks[0]!.version - 1}`)).json()).toMatchObject({ state: 'changed' })
  expect(await (await ingest.ask(`/documents/by-version/${after.id}/${chunks[0]!.version}`)).json()).toMatchObject({ state: 'current' })
})

test('an undone edit costs nothing', async () => {
  put('manual.md', manual('The warranty lasts two years.'))
  await until('the old text is back', async () => (await ingest.chunks()).some((chunk) => chunk.text.includes('two years')) || undefined)
  expect(embedded()).toBe(0)
})

test('a renamed file keeps its id and costs no embedding', async () => {
  const before = await ingest.reaches('manual.md', 'ready')
  renameSync(join(ingest.folder, 'manual.md'), join(ingest.folder, 'guide.md'))
  const after = await ingest.reaches('guide.md', 'ready')
  expect(after.id).toBe(before.id)
  expect((await ingest.documents()).items.some((item) => item.path === 'manual.md')).toBe(false)
  expect(embedded()).toBe(0)
})

test('a file renamed and edited between two scans keeps its id and embeds only what was edited', async () => {
  put('before.md', manual('The seal lasts five years.'))
  const { id } = await ingest.reaches('before.md', 'ready')
  embeddedBefore = ingest.embedder.embedded.length
  renameSync(join(ingest.folder, 'before.md'), join(ingest.folder, 'after.md'))
  put('after.md', manual('The seal lasts six years.'))
  await until('the new text is active', async () => (await ingest.chunks()).some((chunk) => chunk.text.includes('six years')) || undefined)
  const after = await ingest.reaches('after.md', 'ready')
  await ingest.vanishes('before.md')
  // a file system that tells no time of birth leaves it unknown which file it is
  expect(after.id === id).toBe(lstatSync(join(ingest.folder, 'after.md')).birthtimeMs > 0)
  expect(embedded()).toBe(1)
  expect(await (await ingest.ask(`/documents/${after.id}/attempts?limit=1`)).json()).toMatchObject({
    items: [{ outcome: 'done', chunks: 3, embedded: 1, reused: 2 }],
  })
})

test('vectors that are used again are counted', async () => {
  await using own = new AsyncDisposableStack()
  const fresh = await startTestIngest(own)
  const write = (sentence: string) => writeFileSync(join(fresh.folder, 'a.md'), manual(sentence))
  write('The seal lasts five years.')
  await fresh.reaches('a.md', 'ready')
  write('The seal lasts six years.')
  // told a moment after the document is ready
  await until('two of three are', async () => (await fresh.counted('docent_ingest_vectors_reused_total')) === 2 || undefined)
  expect(fresh.embedder.embedded).toHaveLength(4)
})

test('a new file that gets the number of a deleted one is another document', async () => {
  put('departed.md', manual('The hinge lasts one year.'))
  const departed = await ingest.reaches('departed.md', 'ready')
  const { ino } = lstatSync(join(ingest.folder, 'departed.md'))
  rmSync(join(ingest.folder, 'departed.md'))
  // most file systems give the number of the last deleted file to the next new one, where this one does not it is an ordinary new file
  for (let n = 0; n < 50; n++) {
    put('newcomer.md', 'This has nothing to do with hinges.')
    if (lstatSync(join(ingest.folder, 'newcomer.md')).ino === ino) break
    renameSync(join(ingest.folder, 'newcomer.md'), join(ingest.folder, `.kept-${n}`))
  }
  put('newcomer.md', 'This has nothing to do with hinges.')
  const newcomer = await ingest.reaches('newcomer.md', 'ready')
  await ingest.vanishes('departed.md')
  expect(newcomer.id).not.toBe(departed.id)
  expect(await (await ingest.ask(`/documents/by-version/${departed.id}/1`)).json()).toEqual({ state: 'gone' })
})

test('a moved folder keeps every id', async () => {
  mkdirSync(join(ingest.folder, 'old'))
  for (const name of ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h']) put(`old/${name}.txt`, `The text of file ${name} in the folder.`)
  const ids = []
  for (const name of ['a', 'h']) ids.push((await ingest.reaches(`old/${name}.txt`, 'ready')).id)
  const cost = embedded()
  renameSync(join(ingest.folder, 'old'), join(ingest.folder, 'new'))
  const moved = [await ingest.reaches('new/a.txt', 'ready'), await ingest.reaches('new/h.txt', 'ready')]
  expect(moved.map(({ id }) => id)).toEqual(ids)
  await ingest.reaches('new/g.txt', 'ready')
  expect(cost).toBeLessThanOrEqual(8)
  expect(embedded()).toBe(8)
})

test('what is copied elsewhere and deleted, as to another disk, keeps its id and its vectors', async () => {
  put('here.txt', 'This sentence is carried to another disk.')
  const { id } = await ingest.reaches('here.txt', 'ready')
  const cost = embedded()
  copyFileSync(join(ingest.folder, 'here.txt'), join(ingest.folder, 'there.txt'))
  rmSync(join(ingest.folder, 'here.txt'))
  expect((await ingest.reaches('there.txt', 'ready')).id).toBe(id)
  expect(embedded()).toBe(cost)
})

test('the same content under two names is two documents and one embedding', async () => {
  put('one.txt', 'Only here is this sentence written.')
  await ingest.reaches('one.txt', 'ready')
  copyFileSync(join(ingest.folder, 'one.txt'), join(ingest.folder, 'two.txt'))
  const [one, two] = [await ingest.reaches('one.txt', 'ready'), await ingest.reaches('two.txt', 'ready')]
  expect(one.id).not.toBe(two.id)
  expect(one.contentHash).toBe(two.contentHash)
  expect(embedded()).toBe(1)
})

test('a deleted file leaves the index; its twin with the same vectors stays', async () => {
  const one = await ingest.reaches('one.txt', 'ready')
  rmSync(join(ingest.folder, 'one.txt'))
  await ingest.vanishes('one.txt')
  const chunks = await ingest.chunks()
  expect(chunks.some((chunk) => chunk.documentId === one.id)).toBe(false)
  expect(chunks.some((chunk) => chunk.path === 'two.txt')).toBe(true)
  expect(await (await ingest.ask(`/documents/by-version/${one.id}/1`)).json()).toEqual({ state: 'gone' })
  const generation = await ingest.corpus.activeGeneration('fake-hash', 64)
  await until('the dense index is as it should be', async () => {
    const { added, removed } = await ingest.corpus.reconcileDense(generation)
    return added + removed === 0 || undefined
  })
})

test('a file that grows is not indexed until it rests, and then as a whole', async () => {
  const path = join(ingest.folder, 'growing.txt')
  for (let part = 1; part <= 8; part++) {
    await appendFile(path, `Part ${part} of the growing file.\n\n`)
    await new Promise((done) => setTimeout(done, 120)) // the writer's own pace, below the settle time
  }
  await ingest.reaches('growing.txt', 'ready')
  expect(ingest.extractor.asked.get('growing.txt')).toBe(1)
  const text = (await ingest.chunks())
    .filter((chunk) => chunk.path === 'growing.txt')
    .map((chunk) => chunk.text)
    .join('\n')
  expect(text).toContain('Part 8')
})

test('what is no document is listed with its reason, or left alone, and the next file is indexed', async () => {
  put('empty.txt', '')
  put('picture.bmp', 'not really')
  put('~$lock.docx', 'lock')
  put('.hidden.txt', 'hidden')
  put('half.txt.part', 'half')
  symlinkSync('/etc/passwd', join(ingest.folder, 'link.txt'))
  mkdirSync(join(ingest.folder, 'folder.pdf'))
  put('huge.txt', '')
  truncateSync(join(ingest.folder, 'huge.txt'), 2 ** 40)
  ingest.extractor.failWith('empty.txt', 422, 'empty')
  put('fine.txt', 'This one is fine.')
  expect((await ingest.reaches('fine.txt', 'ready')).chunks).toBe(1)
  expect((await ingest.reaches('empty.txt', 'failed')).error?.code).toBe('empty')
  expect((await ingest.reaches('picture.bmp', 'skipped')).error?.code).toBe('unsupported')
  expect((await ingest.reaches('link.txt', 'skipped')).error?.code).toBe('unsupported')
  expect((await ingest.reaches('huge.txt', 'failed')).error).toMatchObject({
    code: 'too_large',
    message: expect.stringContaining('MAX_FILE_MB'),
  })
  const paths = (await ingest.documents()).items.map(({ path }) => path)
  for (const left of ['~$lock.docx', '.hidden.txt', 'half.txt.part', 'folder.pdf']) expect(paths).not.toContain(left)
  expect(ingest.extractor.asked.has('huge.txt')).toBe(false)
})

test('a file whose content turns bad leaves the index, and comes back for nothing when it is mended', async () => {
  put('fragile.txt', 'The fragile text.')
  await ingest.reaches('fragile.txt', 'ready')
  ingest.extractor.failWith('fragile.txt', 422, 'corrupt')
  put('fragile.txt', 'broken')
  expect((await ingest.reaches('fragile.txt', 'failed')).error?.code).toBe('corrupt')
  expect((await ingest.chunks()).some((chunk) => chunk.path === 'fragile.txt')).toBe(false)
  const before = ingest.embedder.embedded.length
  put('mended.txt', 'The fragile text.')
  await ingest.reaches('mended.txt', 'ready')
  expect(ingest.embedder.embedded.length).toBe(before)
})

test('a parser that crashes three times on a file fails it, and nothing else', async () => {
  ingest.extractor.failWith('poison.txt', 422, 'parser_crash')
  put('poison.txt', 'poison')
  put('innocent.txt', 'An innocent file.')
  expect((await ingest.reaches('innocent.txt', 'ready')).chunks).toBe(1)
  expect((await ingest.reaches('poison.txt', 'failed')).error?.code).toBe('parser_crash')
  expect(ingest.extractor.asked.get('poison.txt')).toBe(3)
})

test('names in another Unicode form are the same document and are read from the disk', async () => {
  put('u\u0308ber.txt', 'Named in the decomposed form.')
  const document = await ingest.reaches('\u00fcber.txt', 'ready')
  const file = await ingest.ask(`/documents/${document.id}/file`)
  expect(await file.text()).toBe('Named in the decomposed form.')
})

test('of two names that differ in their Unicode form only the NFC one is read, and the other is listed', async () => {
  put('cafe\u0301.txt', 'Written in the decomposed form.')
  put('caf\u00e9.txt', 'Written in the composed form.')
  const read = await ingest.reaches('caf\u00e9.txt', 'ready')
  expect((await ingest.reaches('cafe\u0301.txt', 'skipped')).error).toMatchObject({
    code: 'unreadable',
    message: expect.stringContaining('another Unicode form'),
  })
  const texts = async () => (await ingest.chunks()).filter(({ path }) => path.normalize('NFC') === read.path).map(({ text }) => text)
  expect(await texts()).toEqual(['Written in the composed form.'])

  rmSync(join(ingest.folder, 'caf\u00e9.txt'))
  await ingest.vanishes('cafe\u0301.txt')
  await until('the other one is read', async () => (await texts())[0]?.includes('decomposed') || undefined)
  expect((await ingest.reaches('caf\u00e9.txt', 'ready')).id).toBe(read.id)
})

test('more than a fifth gone waits for a yes; with it the rest stays searchable', async () => {
  const { items } = await ingest.documents()
  for (let i = 0; i < 20; i++) rmSync(join(ingest.folder, `company-${i}.txt`))
  await until(
    'the removal is held',
    async () => ((await (await ingest.ask('/stats')).json()) as { pendingRemoval: number }).pendingRemoval >= 20 || undefined,
  )
  expect((await ingest.documents()).items.length).toBeGreaterThanOrEqual(items.length)
  const dry = (await (await ingest.ask('/ingest/scan?dryRun=true', { method: 'POST' })).json()) as { held: number; changes: unknown[] }
  expect(dry).toMatchObject({ held: 20, removed: 0 })
  expect(dry.changes).toContainEqual({ kind: 'held', path: 'company-3.txt' })
  const confirmed = await ingest.ask('/documents/confirm-removal', { method: 'POST' })
  expect(await confirmed.json()).toEqual({ removed: 20 })
  await ingest.vanishes('company-3.txt')
  expect((await ingest.chunks()).some((chunk) => chunk.path === 'company-25.txt')).toBe(true)
})

test('a folder that is gone, or empty in its place, deletes nothing; when it is back nothing is embedded', async () => {
  const before = (await ingest.documents()).items.length
  renameSync(ingest.folder, `${ingest.folder}.away`)
  await until(
    'it is noticed',
    async () => ((await (await ingest.ask('/stats')).json()) as { paused: string[] }).paused.includes('folder_missing') || undefined,
  )
  mkdirSync(ingest.folder)
  await until(
    'the removal is held',
    async () => ((await (await ingest.ask('/stats')).json()) as { paused: string[] }).paused.includes('mass_removal') || undefined,
  )
  expect((await ingest.documents()).items.length).toBe(before)
  rmSync(ingest.folder, { recursive: true })
  renameSync(`${ingest.folder}.away`, ingest.folder)
  await until(
    'it goes on',
    async () => ((await (await ingest.ask('/stats')).json()) as { paused: string[] }).paused.length === 0 || undefined,
  )
  expect(embedded()).toBe(0)
})

test('a file renamed while it is parsed is read again under its new name; its first attempt ends as gone, not as our error', async () => {
  const release = ingest.extractor.hold()
  put('on-its-way.txt', 'A file that leaves while it is being read.')
  await until('it is being read', () => ingest.extractor.asked.has('on-its-way.txt') || undefined)
  const { id } = await ingest.reaches('on-its-way.txt', 'indexing')
  renameSync(join(ingest.folder, 'on-its-way.txt'), join(ingest.folder, 'arrived.txt'))
  release()
  expect((await ingest.reaches('arrived.txt', 'ready')).id).toBe(id)
  const told = async () => (await ingest.corpus.listAttempts(id, 10)).map(({ outcome, code }) => code ?? outcome)
  await until('the second attempt has ended', async () => (await told())[0] === 'done' || undefined)
  expect(await told()).toEqual(['done', 'gone'])
  expect(embedded()).toBe(1)
})
