import { cpSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Answer } from '@docent/core/answer-event'
import { EventSource } from 'eventsource'
import { afterAll, beforeAll, expect, inject, test } from 'vitest'
import { type Stack, startStack } from '../src/start-stack.ts'
import { until } from '../src/until.ts'

const samples = fileURLToPath(new URL('../../../../documents', import.meta.url))
const scope = new AsyncDisposableStack()
let stack: Stack

beforeAll(async () => {
  const folder = mkdtempSync(join(tmpdir(), 'docent-flows-'))
  scope.defer(() => rmSync(folder, { recursive: true, force: true }))
  cpSync(samples, folder, { recursive: true })
  stack = await startStack(inject('stores'), scope, { folder })
  await until(
    'the sample folder is indexed',
    async () => {
      const { counts } = await stack.documents()
      return (counts.ready ?? 0) >= 12 && !counts.queued && !counts.indexing ? counts : undefined
    },
    90_000,
  )
}, 120_000)
afterAll(() => scope.disposeAsync())

test('every sample document becomes ready', async () => {
  const { counts, items } = await stack.documents()
  expect(items.filter(({ state }) => state !== 'ready')).toEqual([])
  expect(counts.failed ?? 0).toBe(0)
})

test('a Chinese question is answered with a quoted and verified citation', async () => {
  const answer = await stack.ask('保修期是多久？')
  expect(answer).toMatchObject({ state: 'done', answerable: true })
  expect(answer.citations.length).toBeGreaterThan(0)
  expect(answer.citations.every(({ verified }) => verified)).toBe(true)
  expect(answer.sources.some(({ path }) => path.includes('warranty'))).toBe(true)
  expect(answer.text).toMatch(/年|个月/)
})

test('an English question is answered from the English document', async () => {
  const answer = await stack.ask('How long is the warranty?')
  expect(answer).toMatchObject({ state: 'done', answerable: true })
  expect(answer.text).toMatch(/year|month/i)
})

test('each citation marks its sentence in the answer and is found by its id', async () => {
  const answer = await stack.ask('How long is the warranty?')
  for (const { start, end, source } of answer.citations) {
    const { citationId } = answer.sources.find(({ n }) => n === source)!
    const cited = (await (await fetch(`${stack.url}/api/v1/citations/${citationId}`)).json()) as { text: string; state: string }
    expect(cited.state).toBe('current')
    const quoted = answer.text
      .slice(start, end)
      .replace(/\[\d+\]/g, '')
      .trim()
    // a table row is shown with its column names: its cells stand side by side in the passage
    const cells = quoted.split(/[;；] ?/).map((cell) => cell.replace(/^[^:：]*[:：] */, ''))
    expect(cited.text).toContain(cited.text.includes(quoted) ? quoted : cells.join(' | '))
  }
})

test('what is not in the documents is said honestly, in the language of the question', async () => {
  const zh = await stack.ask('珠穆朗玛峰的海拔是多少米？')
  expect(zh.answerable).toBe(false)
  expect(zh.text).toMatch(/没有/)
  const en = await stack.ask('Who won the football world cup in 1998?')
  expect(en.answerable).toBe(false)
  expect(en.text).toMatch(/not/i)
})

test('a dropped file is answered, an edit replaces it, a rename keeps its id, a removal ends it', async () => {
  writeFileSync(join(stack.folder, 'heron.md'), '# Heron station\n\nThe Heron station opened in 1987. Its keeper is Marta Quill.\n')
  const added = (await stack.settled('heron.md', 'ready'))!
  expect((await stack.ask('Who is the keeper of the Heron station?')).text).toContain('Marta Quill')

  writeFileSync(join(stack.folder, 'heron.md'), '# Heron station\n\nThe Heron station opened in 1987. Its keeper is Oskar Fennel.\n')
  await until('the edit is answered', async () =>
    (await stack.ask('Who is the keeper of the Heron station?')).text.includes('Oskar Fennel') ? true : undefined,
  )
  expect((await stack.ask('Who is the keeper of the Heron station?')).text).not.toContain('Marta Quill')

  mkdirSync(join(stack.folder, 'stations'))
  renameSync(join(stack.folder, 'heron.md'), join(stack.folder, 'stations/heron.md'))
  const moved = (await stack.settled('stations/heron.md', 'ready'))!
  expect(moved.id).toBe(added.id)
  expect((await stack.ask('Who is the keeper of the Heron station?')).sources[0]?.path).toBe('stations/heron.md')

  rmSync(join(stack.folder, 'stations/heron.md'))
  await stack.settled('stations/heron.md', 'removed')
  await until('the removed file is in no answer', async () =>
    (await stack.ask('Who is the keeper of the Heron station?')).text.includes('Oskar Fennel') ? undefined : true,
  )
})

test("a source in a sheet, on a slide or in a mail's attachment names its place; an old Office file says what to do", async () => {
  const golden = fileURLToPath(new URL('../../../extractor/test/golden', import.meta.url))
  for (const name of ['zh.xlsx', 'en.pptx', 'zh.doc']) cpSync(join(golden, name), join(stack.folder, name))
  const mail = [
    'Subject: Costs',
    'From: a@example.com',
    'MIME-Version: 1.0',
    'Content-Type: multipart/mixed; boundary=b',
    '',
    '--b',
    'Content-Type: text/plain',
    '',
    'See below.',
  ]
  const part = [
    '--b',
    'Content-Type: text/csv; name=ferry.csv',
    'Content-Disposition: attachment; filename=ferry.csv',
    '',
    'ferry,fare',
    'Puffin,73',
    '--b--',
    '',
  ]
  writeFileSync(join(stack.folder, 'costs.eml'), [...mail, ...part].join('\r\n'))
  const placeOf = (question: string, path: string) =>
    until(`${path} is found`, async () => (await stack.ask(question)).sources.find((source) => source.path === path), 60_000)
  await stack.settled('zh.xlsx', 'ready')
  expect(await placeOf('王小明的电话是多少？', 'zh.xlsx')).toMatchObject({ sheet: '联系人', row: 2 })
  expect(await placeOf('Who should pause and wait for questions in the year in review?', 'en.pptx')).toMatchObject({ slide: 1 })
  expect(await placeOf('What is the fare of the Puffin ferry?', 'costs.eml')).toMatchObject({ attachment: 'ferry.csv', row: 2 })
  const old = (await stack.documents()).items.find(({ path }) => path === 'zh.doc')
  expect(old).toMatchObject({ state: 'failed', error: { code: 'unsupported', message: expect.stringMatching(/save it as \.docx/) } })
})

test('a row of a long table, and of the second table of a section, is quoted under its own column names', async () => {
  const row = (n: number) =>
    `SKU-${1000 + n},Widget model ${n},${(n * 3 + 0.5).toFixed(2)},${(n * 7) % 50},${['Basel', 'Lyon', 'Turin'][n % 3]}`
  writeFileSync(
    join(stack.folder, 'stock.csv'),
    ['sku,name,price_eur,stock,warehouse', ...Array.from({ length: 200 }, (_, n) => row(n))].join('\n'),
  )
  const table = (...rows: string[][]) => `<table>${rows.map((cells) => `<tr><td>${cells.join('</td><td>')}</td></tr>`).join('')}</table>`
  const ships = table(['船名', '泊位'], ['海鸥号', '三号泊位'], ['白鹭号', '五号泊位'])
  const members = table(['会员类型', '年费'], ['普通会员', '300元'], ['高级会员', '950元'])
  writeFileSync(join(stack.folder, 'club.html'), `<html><body><h1>帆船俱乐部</h1>${ships}${members}</body></html>`)
  await stack.settled('stock.csv', 'ready')
  await stack.settled('club.html', 'ready')
  const told = (question: string, part: string) =>
    until(`${part} is answered`, async () => {
      const answer = await stack.ask(question)
      return answer.text.includes(part) ? answer : undefined
    })
  for (const n of [0, 50, 77, 99, 199]) {
    const answer = await told(`SKU-${1000 + n}有多少库存？`, `sku: SKU-${1000 + n};`)
    expect(answer.text).toContain(`name: Widget model ${n}; price_eur: ${(n * 3 + 0.5).toFixed(2)}; stock: ${(n * 7) % 50}; warehouse:`)
    expect(answer.citations.every(({ verified }) => verified)).toBe(true)
  }
  const where = await told('Which warehouse has SKU-1077?', 'sku: SKU-1077;')
  expect(where.text).toContain('warehouse: Turin')
  expect(where.text).not.toMatch(/sku: sku|SKU-\d+: |sku \| name/)
  const member = await told('帆船俱乐部高级会员的年费是多少？', '950元')
  expect(member.text).toContain('会员类型: 高级会员；年费: 950元')
  expect(member.text).not.toMatch(/船名: .*会员/)
}, 60_000)

test('what is for a group is not answered, cited or given out to others, not even out of a saved answer', async () => {
  mkdirSync(join(stack.folder, 'board'))
  writeFileSync(join(stack.folder, 'board/_docent.yml'), 'readers: [board]\n')
  writeFileSync(join(stack.folder, 'board/merger.md'), '# Merger\n\nThe merger with Kestrel Lines is planned for the spring of 2031.\n')
  const headers = { authorization: `Bearer ${stack.adminKey}`, 'content-type': 'application/json' }
  const asAdmin = async (path: string, body?: unknown) => {
    const response = await fetch(stack.url + path, { headers, ...(body ? { method: 'POST', body: JSON.stringify(body) } : {}) })
    return { status: response.status, body: (await response.json()) as Answer & { items: { path: string; state: string }[] } }
  }
  const isReady = async () => (await asAdmin('/api/v1/documents?path=board/')).body.items[0]?.state === 'ready'
  await until('it is indexed', async () => ((await isReady()) ? true : undefined))
  const question = 'When is the merger with Kestrel Lines planned?'
  const told = await until('the admin is answered', async () => {
    const { body } = await asAdmin('/api/v1/ask', { question })
    return body.text.includes('2031') ? body : undefined
  })
  expect((await asAdmin('/api/v1/saved-answers', { answerId: told.id })).status).toBe(201)
  expect((await asAdmin('/api/v1/ask', { question })).body.text).toContain('2031')
  expect(JSON.stringify(await stack.ask(question))).not.toMatch(/of 2031|board\/merger/)
  expect((await stack.documents()).items.some(({ path }) => path.startsWith('board/'))).toBe(false)
  for (const { citationId } of told.sources.filter(({ path }) => path === 'board/merger.md')) {
    for (const way of ['', '/file']) {
      expect((await fetch(`${stack.url}/api/v1/citations/${citationId}${way}`)).status).toBe(404)
      expect((await fetch(`${stack.url}/api/v1/citations/${citationId}${way}`, { headers })).status).toBe(200)
    }
  }
})

test('a bad file is failed or skipped with a stable code and a sentence, and the next one is indexed', async () => {
  writeFileSync(join(stack.folder, 'empty.txt'), '')
  writeFileSync(join(stack.folder, 'broken.pdf'), '%PDF-1.7\nnothing that follows is a PDF')
  writeFileSync(join(stack.folder, 'tool.exe'), 'MZ')
  writeFileSync(join(stack.folder, 'good.txt'), 'The meeting room Osprey has nine chairs.')
  expect((await stack.settled('empty.txt', 'failed'))!.error).toMatchObject({ code: 'empty', message: expect.stringMatching(/.{15}/) })
  expect((await stack.settled('broken.pdf', 'failed'))!.error).toMatchObject({ code: 'corrupt', message: expect.stringMatching(/.{15}/) })
  expect((await stack.settled('tool.exe', 'skipped'))!.error).toMatchObject({
    code: 'unsupported',
    message: expect.stringMatching(/.{15}/),
  })
  await stack.settled('good.txt', 'ready')
  expect((await stack.ask('How many chairs has the meeting room Osprey?')).text).toContain('nine chairs')
})

test('an unmodified EventSource follows an answer to its end and is then closed by 204', async () => {
  const begun = (await (
    await fetch(`${stack.url}/api/v1/answers`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', accept: 'application/json' },
      body: JSON.stringify({ question: '保修期是多久？', async: true }),
    })
  ).json()) as { id: string; eventsUrl: string }
  const source = new EventSource(new URL(begun.eventsUrl, stack.url))
  scope.defer(() => source.close())
  let text = ''
  const ids: number[] = []
  for (const type of ['meta', 'sources', 'delta', 'citation', 'usage', 'done']) {
    source.addEventListener(type, (event) => {
      ids.push(Number(event.lastEventId))
      if (type === 'delta') text += (JSON.parse(event.data) as { text: string }).text
    })
  }
  await until('the EventSource is closed for good', () => (source.readyState === EventSource.CLOSED ? true : undefined))
  expect(ids).toEqual(ids.map((_, i) => i + 1))
  const stored = (await (await fetch(new URL(begun.eventsUrl.replace(/\/events$/, ''), stack.url))).json()) as {
    text: string
    state: string
  }
  expect(stored.state).toBe('done')
  expect(text).toBe(stored.text)
})

test('/api/ask_stream speaks chunks of OpenAI shape and ends in [DONE]', async () => {
  const response = await fetch(`${stack.url}/api/ask_stream`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: '{"question":"保修期是多久？"}',
  })
  expect(response.headers.get('content-type')).toContain('text/event-stream')
  const lines = (await response.text()).split('\n').filter((line) => line.startsWith('data: '))
  expect(lines.at(-1)).toBe('data: [DONE]')
  const chunks = lines
    .slice(0, -1)
    .map((line) => JSON.parse(line.slice(6)) as { choices: { delta: { content?: string } }[]; docent?: unknown })
  expect(chunks.map(({ choices }) => choices[0]?.delta.content ?? '').join('')).toMatch(/年|个月/)
  expect(chunks[0]?.docent).toBeDefined()
})

test.each([
  ['an empty body', '', 400],
  ['null', 'null', 400],
  ['a list', '[]', 400],
  ['broken JSON', '{"question":', 400],
  ['no question', '{}', 400],
  ['a blank question', '{"question":"   "}', 400],
  ['a number as question', '{"question":7}', 400],
  ['zero-width characters only', '{"question":"\u200b\u200b"}', 400],
  ['a very long question', JSON.stringify({ question: 'x'.repeat(5_000) }), 400],
])('%s is answered by a problem with a code', async (_name, body, status) => {
  const response = await fetch(`${stack.url}/api/v1/ask`, { method: 'POST', headers: { 'content-type': 'application/json' }, body })
  expect(response.status).toBe(status)
  expect(response.headers.get('content-type')).toContain('application/problem+json')
  expect(await response.json()).toMatchObject({
    status,
    code: expect.any(String),
    detail: expect.any(String),
    requestId: expect.any(String),
  })
})

test('a change without the admin key is refused and nothing is harmed', async () => {
  const { items } = await stack.documents()
  const response = await fetch(`${stack.url}/api/v1/documents/${items[0]!.id}`, { method: 'DELETE' })
  expect(response.status).toBe(401)
  expect((await stack.documents()).items.length).toBe(items.length)
})

test('an upload with the admin key lands in the folder and is answered', async () => {
  const form = new FormData()
  form.set('file', new Blob(['The ferry Albatross leaves at 07:45 from pier 6.'], { type: 'text/plain' }), 'ferry.txt')
  const response = await fetch(`${stack.url}/api/v1/documents`, {
    method: 'POST',
    headers: { authorization: `Bearer ${stack.adminKey}` },
    body: form,
  })
  expect(response.status).toBeLessThan(300)
  await stack.settled('ferry.txt', 'ready')
  expect((await stack.ask('When does the ferry Albatross leave?')).text).toContain('07:45')
})
