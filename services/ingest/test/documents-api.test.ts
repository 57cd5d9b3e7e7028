import { execFileSync } from 'node:child_process'
import { lstatSync, mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { request } from 'node:http'
import { join } from 'node:path'
import type { DocumentView } from '@docent/core/document'
import type { Principal } from '@docent/core/principal'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { until } from '../../lib/testkit/src/until.ts'
import { admin, startTestIngest, type TestIngest } from './start-test-ingest.ts'

const scope = new AsyncDisposableStack()
let ingest: TestIngest
const anonymous: Principal = { id: 'someone', kind: 'anonymous', scopes: ['chat', 'read'] }
const json = async (path: string) =>
  (await ingest.ask(path)).json() as Promise<{ items: DocumentView[]; next?: string; counts: Record<string, number>; code?: string }>

beforeAll(async () => {
  ingest = await startTestIngest(scope, { env: { MAX_FILE_MB: '1' } })
  for (let i = 0; i < 5; i++) writeFileSync(join(ingest.folder, `doc-${i}.txt`), `Document number ${i}.`)
  for (let i = 0; i < 5; i++) await ingest.reaches(`doc-${i}.txt`, 'ready')
})
afterAll(() => scope.disposeAsync())

function upload(files: Record<string, string>, fields: Record<string, string> = {}, principal = admin, query = ''): Promise<Response> {
  const form = new FormData()
  for (const [name, value] of Object.entries(fields)) form.set(name, value)
  for (const [name, text] of Object.entries(files)) form.append('file', new Blob([text]), name)
  return ingest.ask(`/documents${query}`, { method: 'POST', body: form }, principal)
}
const everything = () => readdirSync(ingest.folder).sort()
const leftovers = () => readdirSync(ingest.folder).filter((name) => name.startsWith('.docent-upload'))

test('nobody without the internal token is answered, health excepted', async () => {
  for (const path of ['/documents', '/stats', '/documents/events']) expect((await fetch(`${ingest.url}${path}`)).status).toBe(401)
  expect((await fetch(`${ingest.url}/healthz`)).status).toBe(200)
  await until('it is ready', async () => ((await fetch(`${ingest.url}/readyz`)).status === 200 ? true : undefined))
})

test('the list pages through all documents once, with counts', async () => {
  const paths: string[] = []
  let cursor = ''
  do {
    const page = await json(`/documents?limit=2${cursor}`)
    expect(page.counts.ready).toBe(5)
    paths.push(...page.items.map(({ path }) => path))
    cursor = page.next ? `&cursor=${page.next}` : ''
  } while (cursor)
  expect(paths).toEqual([0, 1, 2, 3, 4].map((i) => `doc-${i}.txt`))
  expect((await json('/documents?path=doc-3')).items).toHaveLength(1)
  expect((await json('/documents?state=failed')).items).toHaveLength(0)
})

test.each([
  'limit=0',
  'limit=1e9',
  'limit=-1',
  'state=odd',
  'cursor=!!',
  'cursor=WyJhIl0',
  `cursor=${Buffer.from('["a\\u0000","00000000-0000-4000-8000-000000000000"]').toString('base64url')}`,
  'path=%00',
])('a list asked with %s is refused, not broken', async (query) => {
  const response = await ingest.ask(`/documents?${query}`)
  expect(response.status).toBe(400)
  expect(((await response.json()) as { code: string }).code).toBe('validation')
})

test.each(['nonsense', '..%2f..%2fetc', '%00', '00000000-0000-4000-8000-000000000000'])('the document %s does not exist', async (id) => {
  for (const path of [`/documents/${id}`, `/documents/${id}/file`]) expect([400, 404]).toContain((await ingest.ask(path)).status)
})

test('a name in a query that means nothing is refused, not passed over', async () => {
  const before = everything()
  const refused = await upload({ 'lost.txt': 'Meant for a folder.' }, {}, admin, '?folder=manuals')
  expect([refused.status, await refused.text()]).toEqual([400, expect.stringContaining('has no field named folder')])
  expect(everything()).toEqual(before)
  expect((await ingest.ask('/documents?colection=hr')).status).toBe(400)
  expect((await ingest.ask('/ingest/scan?dryrun=true', { method: 'POST' })).status).toBe(400)
})

test('a file is sent whole, in part, and sandboxed', async () => {
  const [document] = (await json('/documents?path=doc-0')).items
  const whole = await ingest.ask(`/documents/${document!.id}/file`)
  expect(await whole.text()).toBe('Document number 0.')
  expect(whole.headers.get('content-security-policy')).toContain('sandbox')
  expect(whole.headers.get('content-type')).toBe('text/plain; charset=utf-8')
  const part = await ingest.ask(`/documents/${document!.id}/file`, { headers: { range: 'bytes=9-14' } })
  expect([part.status, part.headers.get('content-range'), await part.text()]).toEqual([206, 'bytes 9-14/18', 'number'])
  expect((await ingest.ask(`/documents/${document!.id}/file`, { headers: { range: 'bytes=99-' } })).status).toBe(416)
})

test('a file whose text was not read is sent without a charset', async () => {
  ingest.extractor.failWith('odd.txt', 422, 'corrupt')
  writeFileSync(join(ingest.folder, 'odd.txt'), 'odd')
  const { id } = await ingest.reaches('odd.txt', 'failed')
  expect((await ingest.ask(`/documents/${id}/file`)).headers.get('content-type')).toBe('text/plain')
  rmSync(join(ingest.folder, 'odd.txt'))
  await until('it is gone', async () => ((await json('/documents?path=odd')).items.length === 0 ? true : undefined))
})

test('an upload lands in the folder and is indexed; the same name again is its next version, when that is asked for', async () => {
  const first = await upload({ '手册.txt': 'The uploaded text.' }, { path: 'from api/手册.txt' })
  expect(first.status).toBe(202)
  const { items } = (await first.json()) as { items: DocumentView[] }
  expect(items[0]).toMatchObject({ path: 'from api/手册.txt', size: 18 })
  const ready = await ingest.reaches('from api/手册.txt', 'ready')
  const next = await upload({ '手册.txt': 'The newer text.' }, { path: 'from api/' }, admin, '?onConflict=replace')
  expect(await next.json()).toMatchObject({ files: [{ path: 'from api/手册.txt', outcome: 'replaced' }] })
  await until(
    'the newer text is active',
    async () => (await ingest.chunks()).some((chunk) => chunk.text === 'The newer text.') || undefined,
  )
  expect((await ingest.reaches('from api/手册.txt', 'ready')).id).toBe(ready.id)
  expect(leftovers()).toEqual([])
})

test('what lies there already is not harmed by an upload: other content is refused, the same content is no change, and both can be kept', async () => {
  const put = async (files: Record<string, string>, query = '', path = 'kept/') => {
    const response = await upload(files, { path }, admin, query)
    return { status: response.status, body: (await response.json()) as { code?: string; detail?: string; files?: object[] } }
  }
  const textOf = (name: string) => readFileSync(join(ingest.folder, 'kept', name), 'utf8')
  expect((await put({ 'a.txt': 'One.' })).body.files).toEqual([{ path: 'kept/a.txt', outcome: 'created' }])
  const refused = await put({ 'new.txt': 'New.', 'a.txt': 'Two.' })
  expect(refused).toMatchObject({ status: 409, body: { code: 'already_exists', detail: expect.stringContaining('kept/a.txt') } })
  expect(refused.body.detail).toContain('onConflict=replace')
  expect(readdirSync(join(ingest.folder, 'kept'))).toEqual(['a.txt'])
  expect(textOf('a.txt')).toBe('One.')
  // a client that sends it again because it lost the answer
  expect((await put({ 'a.txt': 'One.' })).body.files).toEqual([{ path: 'kept/a.txt', outcome: 'unchanged' }])
  expect((await put({ 'a.txt': 'Two.' }, '?onConflict=rename')).body.files).toEqual([
    { path: 'kept/a (2).txt', outcome: 'renamed', asked: 'kept/a.txt' },
  ])
  expect([textOf('a.txt'), textOf('a (2).txt')]).toEqual(['One.', 'Two.'])
  expect((await put({ 'a.txt': 'Three.' }, '?onConflict=replace')).body.files).toEqual([{ path: 'kept/a.txt', outcome: 'replaced' }])
  expect(textOf('a.txt')).toBe('Three.')
  // a Mac's name of the same letters is the same document
  writeFileSync(join(ingest.folder, 'kept', 'cafe\u0301.txt'), 'Mac.')
  expect((await put({ 'caf\u00e9.txt': 'Linux.' })).body.code).toBe('already_exists')
  expect((await put({ 'caf\u00e9.txt': 'Linux.' }, '?onConflict=replace')).status).toBe(202)
  expect(textOf('cafe\u0301.txt')).toBe('Linux.')
  mkdirSync(join(ingest.folder, 'kept', 'folder.txt'))
  for (const query of ['', '?onConflict=replace']) expect((await put({ 'folder.txt': 'x' }, query)).body.code).toBe('conflict')
  expect(await put({ 'x.txt': 'x' }, '?onConflict=maybe')).toMatchObject({ status: 400, body: { code: 'validation' } })
  expect(leftovers()).toEqual([])
})

test('a link or a pipe is not replaced by an upload, nor is what a link points to; a file beside it is taken', async () => {
  const outside = join(ingest.folder, '..', `outside-${process.pid}.txt`)
  writeFileSync(outside, 'Outside.')
  mkdirSync(join(ingest.folder, 'odd'))
  const at = (name: string) => join(ingest.folder, 'odd', name)
  symlinkSync(outside, at('link.txt'))
  symlinkSync('nowhere', at('broken.txt'))
  execFileSync('mkfifo', [at('pipe.txt')])
  const put = async (name: string, query: string) => {
    const response = await upload({ 'good.txt': 'Good.', [name]: 'Outside.' }, { path: 'odd/' }, admin, query)
    return { status: response.status, body: (await response.json()) as { code?: string; detail?: string } }
  }
  for (const name of ['link.txt', 'broken.txt', 'pipe.txt'])
    for (const query of ['', '?onConflict=replace']) {
      const { status, body } = await put(name, query)
      expect([name, query, status, body.code]).toEqual([name, query, 409, 'conflict'])
      expect(body.detail).toContain(`odd/${name}`)
    }
  expect(readdirSync(join(ingest.folder, 'odd')).sort()).toEqual(['broken.txt', 'link.txt', 'pipe.txt'])
  expect(lstatSync(at('link.txt')).isSymbolicLink()).toBe(true)
  expect(lstatSync(at('pipe.txt')).isFIFO()).toBe(true)
  expect((await put('link.txt', '?onConflict=rename')).status).toBe(202)
  expect(readFileSync(at('link (2).txt'), 'utf8')).toBe('Outside.')
  expect(lstatSync(at('link.txt')).isSymbolicLink()).toBe(true)
  rmSync(outside)
  expect(leftovers()).toEqual([])
})

test('two files of one request with one name are refused, or kept both', async () => {
  const send = async (query: string) => {
    const form = new FormData()
    for (const text of ['One.', 'Two.']) form.append('file', new Blob([text]), 'twin.txt')
    return ingest.ask(`/documents${query}`, { method: 'POST', body: form })
  }
  for (const query of ['', '?onConflict=replace']) expect((await send(query)).status).toBe(400)
  expect(readdirSync(ingest.folder)).not.toContain('twin.txt')
  expect(await (await send('?onConflict=rename')).json()).toMatchObject({ paths: ['twin.txt', 'twin (2).txt'] })
  expect(leftovers()).toEqual([])
})

test.each([
  '../out.txt',
  '/etc/out.txt',
  'a/../../out.txt',
  '.hidden.txt',
  'a\\b.txt',
  'a/.git/c.txt',
  '~$a.txt',
  ' ',
  'x\u0000.txt',
  'e\u202egpj.txt',
  `${'a'.repeat(300)}.txt`,
])('an upload to %j is refused', async (path) => {
  expect((await upload({ 'a.txt': 'text' }, { path })).status).toBe(400)
  expect(leftovers()).toEqual([])
})

test('a name that is too long is refused with how long it may be', async () => {
  const response = await upload({ 'a.txt': 'text' }, { path: `${'长'.repeat(100)}.txt` })
  expect(await response.json()).toMatchObject({ code: 'validation', detail: expect.stringContaining('a name may have 255 bytes') })
})

test('an upload does not follow a link out of the folder', async () => {
  symlinkSync('/tmp', join(ingest.folder, 'way-out'))
  expect((await upload({ 'a.txt': 'text' }, { path: 'way-out/a.txt' })).status).toBe(400)
  expect(leftovers()).toEqual([])
})

test('too large, unsupported, empty and other bodies are told apart and leave nothing', async () => {
  expect((await upload({ 'big.txt': 'x'.repeat(1_100_000) })).status).toBe(413)
  expect((await upload({ 'picture.bmp': 'x' })).status).toBe(422)
  expect((await upload({})).status).toBe(400)
  expect((await ingest.ask('/documents', { method: 'POST', body: '{}', headers: { 'content-type': 'application/json' } })).status).toBe(415)
  expect(
    (
      await ingest.ask('/documents', {
        method: 'POST',
        body: '--x\r\nbroken',
        headers: { 'content-type': 'multipart/form-data; boundary=x' },
      })
    ).status,
  ).toBe(400)
  expect((await upload(Object.fromEntries(Array.from({ length: 30 }, (_, i) => [`f${i}.txt`, 'x'])))).status).toBe(413)
  expect((await upload({ 'a.txt': 'text' }, {}, anonymous)).status).toBe(403)
  expect(leftovers()).toEqual([])
})

const part = (name: string) => `--x\r\ncontent-disposition: form-data; name="${name}"; filename="a.txt"\r\n\r\ntext\r\n`
test.for([
  ['a boundary of hyphens without end', `multipart/form-data; boundary=${'-'.repeat(60)}`, '-'.repeat(200_000)],
  ['no boundary', 'multipart/form-data', '--x--'],
  ['no end', 'multipart/form-data; boundary=x', part('file').slice(0, -2)],
  ['10,000 parts', 'multipart/form-data; boundary=x', `${part('file').repeat(10_000)}--x--\r\n`],
  [
    '10,000 fields',
    'multipart/form-data; boundary=x',
    `${'--x\r\ncontent-disposition: form-data; name="a"\r\n\r\n1\r\n'.repeat(10_000)}--x--\r\n`,
  ],
  ['headers of a part without end', 'multipart/form-data; boundary=x', `--x\r\n${'a: b\r\n'.repeat(50_000)}`],
  [
    'a field with the name of a prototype',
    'multipart/form-data; boundary=x',
    `--x\r\ncontent-disposition: form-data; name="__proto__"\r\n\r\n1\r\n--x--\r\n`,
  ],
] as const)('H17 %s is refused and leaves nothing', async ([, type, body]) => {
  const before = everything()
  const response = await ingest.ask('/documents', { method: 'POST', body, headers: { 'content-type': type } })
  expect(response.status).toBeGreaterThanOrEqual(400)
  expect(response.status).toBeLessThan(500)
  expect(response.headers.get('content-type')).toContain('application/problem+json')
  expect(leftovers()).toEqual([])
  // of the folder, for a scan may list what an earlier test put there meanwhile
  expect(everything()).toEqual(before)
  expect(({} as Record<string, unknown>).isAdmin).toBeUndefined()
})

test('an upload that is cut off leaves no file behind', async () => {
  const { hostname, port } = new URL(ingest.url)
  const headers = {
    'x-docent-token': 'a-token-of-the-test-0123456789-abcdefghij',
    'x-docent-principal': Buffer.from(JSON.stringify(admin)).toString('base64url'),
  }
  const req = request({
    hostname,
    port,
    method: 'POST',
    path: '/documents',
    headers: { ...headers, 'content-type': 'multipart/form-data; boundary=x' },
  })
  req.on('error', () => undefined) // it is we who cut it
  req.write('--x\r\ncontent-disposition: form-data; name="file"; filename="cut.txt"\r\n\r\nhalf a file')
  await until('the half is on disk', () => leftovers().length === 1 || undefined)
  req.destroy()
  await until('it is gone', () => leftovers().length === 0 || undefined)
  expect((await json('/documents?path=cut')).items).toEqual([])
})

test('a failed document is tried again on request', async () => {
  ingest.extractor.failWith('hopeless.txt', 422, 'corrupt')
  writeFileSync(join(ingest.folder, 'hopeless.txt'), 'hopeless')
  const { id } = await ingest.reaches('hopeless.txt', 'failed')
  const asked = ingest.extractor.asked.get('hopeless.txt')!
  expect((await ingest.ask(`/documents/${id}/retry`, { method: 'POST' }, anonymous)).status).toBe(403)
  expect((await ingest.ask(`/documents/${id}/retry`, { method: 'POST' })).status).toBe(202)
  await until('it was tried', () => (ingest.extractor.asked.get('hopeless.txt')! > asked ? true : undefined))
  await ingest.reaches('hopeless.txt', 'failed')
})

test('a deletion takes the file and the text, and is told to those who listen', async () => {
  const { id } = await ingest.reaches('doc-4.txt', 'ready')
  const left = new AbortController()
  const events = await ingest.ask('/documents/events', { signal: left.signal })
  expect(events.headers.get('content-type')).toContain('text/event-stream')
  expect((await ingest.ask(`/documents/${id}`, { method: 'DELETE' }, anonymous)).status).toBe(403)
  expect((await ingest.ask(`/documents/${id}`, { method: 'DELETE' })).status).toBe(204)
  let told = ''
  for await (const part of events.body!.pipeThrough(new TextDecoderStream())) {
    told += part
    if (told.includes(id)) break
  }
  left.abort()
  expect(told).toContain('"state":"removed"')
  expect((await ingest.ask(`/documents/${id}`)).status).toBe(404)
  expect(readdirSync(ingest.folder)).not.toContain('doc-4.txt')
  expect((await ingest.chunks()).some((chunk) => chunk.documentId === id)).toBe(false)
})

test('a caller bound to other collections sees nothing', async () => {
  const bound: Principal = { ...anonymous, kind: 'key', collections: ['other'] }
  const [document] = (await json('/documents?path=doc-0')).items
  expect(await (await ingest.ask('/documents', {}, bound)).json()).toMatchObject({ items: [], counts: { ready: 0 } })
  expect((await ingest.ask(`/documents/${document!.id}`, {}, bound)).status).toBe(404)
  expect((await ingest.ask(`/documents/${document!.id}/file`, {}, bound)).status).toBe(404)
})

test('a key bound to collections changes what lies in their folders and nothing else', async () => {
  for (const [dir, text] of [
    ['laws', 'collection: laws'],
    ['laws/sealed', 'readers: [judges]'],
    ['pay', 'collection: pay'],
    ['doubt', 'collecton: laws'],
  ] as const) {
    mkdirSync(join(ingest.folder, dir))
    writeFileSync(join(ingest.folder, dir, '_docent.yml'), text)
    writeFileSync(join(ingest.folder, dir, 'there.txt'), `What lies in ${dir} already.`)
    await ingest.reaches(`${dir}/there.txt`, 'ready')
  }
  const bound: Principal = { id: 'key:1', kind: 'key', scopes: ['ingest'], collections: ['laws'] }
  const send = async (path: string, name = 'new.txt', query = '') =>
    (await upload({ [name]: `For ${path}.` }, { path }, bound, query)).status
  expect(await send('laws/new.txt')).toBe(202)
  expect(await send('laws/there.txt')).toBe(409)
  expect(await send('laws/there.txt', 'new.txt', '?onConflict=replace')).toBe(202)
  expect(await send('laws/sealed/new.txt')).toBe(202)
  for (const path of ['new-too.txt', 'pay/new.txt', 'pay/there.txt', 'lawsuits/new.txt', 'laws/sealed/there.txt', 'doubt/new.txt'])
    for (const query of ['', '?onConflict=replace', '?onConflict=rename']) expect(await send(path, 'new.txt', query), path).toBe(403)
  expect((await upload({ 'a.txt': 'a', 'b.txt': 'b' }, { path: 'pay/' }, bound)).status).toBe(403)
  for (const path of ['laws/_docent.yml', 'laws/.docentignore', 'laws/_docent.yml/a.txt', '_docent.yml', 'laws/../pay/a.txt'])
    expect(await send(path), path).toBe(400)
  expect(await send('laws/', '_docent.yml')).toBe(400)
  // on some disks it is the same file
  expect(await send('laws/_DOCENT.YML')).toBe(400)
  expect(leftovers()).toEqual([])

  const id = async (path: string) => (await ingest.reaches(path, 'ready')).id
  const does = async (method: string, path: string, way = '') =>
    (await ingest.ask(`/documents/${await id(path)}${way}`, { method }, bound)).status
  for (const path of ['pay/there.txt', 'doc-0.txt', 'laws/sealed/there.txt'])
    expect(
      [
        await does('POST', path, '/retry'),
        await does('POST', path, '/cancel'),
        await does('GET', path, '/attempts'),
        await does('DELETE', path),
      ],
      path,
    ).toEqual([404, 404, 404, 404])
  expect(await does('POST', 'laws/there.txt', '/retry')).toBe(202)
  await ingest.reaches('laws/there.txt', 'ready')
  const all = await ingest.ask(
    '/documents/retry',
    { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{"state":"ready"}' },
    bound,
  )
  expect(await all.json()).toEqual({ queued: 2, left: [] })
  expect(await does('DELETE', 'laws/new.txt')).toBe(204)
})
