import { randomUUID } from 'node:crypto'
import { readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Answer } from '@docent/core/answer-event'
import { afterAll, beforeAll, expect, inject, test } from 'vitest'
import { type Stack, startStack } from '../src/start-stack.ts'

const scope = new AsyncDisposableStack()
let stack: Stack
const lease = '# 租约\n\n房客每月支付租金 4200 元。\n\n押金为 3000 元，退租后十日内退还。\n\n饲养宠物须经房东书面同意。\n'

beforeAll(async () => {
  stack = await startStack(inject('stores'), scope, { env: { ATTACHMENT_DAYS: '1' } })
  writeFileSync(join(stack.folder, 'manual.md'), '# 手册\n\n打印机的保修期为 24 个月。\n\n墨盒可在任何门店更换。\n')
  await stack.settled('manual.md', 'ready')
}, 120_000)
afterAll(() => scope.disposeAsync())

function reader() {
  const me = { 'x-client-id': randomUUID(), 'content-type': 'application/json' }
  const send = async (path: string, body: object) =>
    (await fetch(`${stack.url}/api/v1/${path}`, { method: 'POST', headers: me, body: JSON.stringify(body) })).json() as Promise<unknown>
  return {
    begin: async () => ((await send('conversations', { title: '租约' })) as { id: string }).id,
    ask: (question: string, conversationId?: string) =>
      send('ask', { question, ...(conversationId ? { conversationId } : {}) }) as Promise<Answer>,
    async attach(conversationId: string, name: string, text: string) {
      const body = new FormData()
      body.append('file', new Blob([text]), name)
      const headers = { 'x-client-id': me['x-client-id'] }
      return fetch(`${stack.url}/api/v1/conversations/${conversationId}/attachments`, { method: 'POST', headers, body })
    },
  }
}

test('an attached file answers its own conversation, and nothing else in the whole stack knows of it', async () => {
  const [mine, other] = [reader(), reader()]
  const [first, second, foreign] = [await mine.begin(), await mine.begin(), await other.begin()]
  expect((await mine.attach(first, '租约.md', lease)).status).toBe(201)
  // another chat has a file of its own, about the same
  expect((await mine.attach(second, '别的租约.md', lease.replace('3000', '7777'))).status).toBe(201)
  const question = '退租时押金是多少元？'
  const answer = await mine.ask(question, first)
  expect(answer).toMatchObject({ answerable: true, state: 'done', sources: [{ path: '租约.md' }] })
  expect(answer.text).toContain('3000 元')
  expect(answer.citations[0]).toMatchObject({ source: 1, verified: true })
  expect((await mine.ask(question, second)).text).toContain('7777 元')
  // the folder is searched beside it
  expect((await mine.ask('打印机的保修期多久？', first)).text).toContain('24 个月')

  const strangers = [await mine.ask(question), await other.ask(question, foreign), await other.ask(question)]
  expect(JSON.stringify(strangers)).not.toMatch(/(3000|7777) 元/)
  const { items } = await stack.documents()
  expect(items.map(({ path }) => path)).toEqual(['manual.md'])
  const owner = { authorization: `Bearer ${stack.adminKey}`, 'content-type': 'application/json' }
  const search = await fetch(`${stack.url}/api/v1/search`, { method: 'POST', headers: owner, body: JSON.stringify({ query: question }) })
  expect(search.status).toBe(200)
  expect(await search.text()).not.toMatch(/(3000|7777) 元/)
  const [{ citationId, documentId }] = answer.sources as [Answer['sources'][number]]
  for (const path of [`documents/${documentId}`, `documents/${documentId}/file`, `documents/${documentId}/chunks`])
    expect((await fetch(`${stack.url}/api/v1/${path}`, { headers: owner })).status).toBe(404)
  expect((await fetch(`${stack.url}/api/v1/citations/${citationId}/file`)).status).toBe(410)
  // no file of it is left in the folder
  expect(readdirSync(stack.folder)).toEqual(['manual.md'])
})

test('a file that cannot be read is refused with its reason', async () => {
  const { begin, attach } = reader()
  const conversationId = await begin()
  expect(await (await attach(conversationId, 'a.exe', 'MZ')).json()).toMatchObject({ status: 422, code: 'unsupported' })
  expect(await (await attach(conversationId, 'a.pdf', 'this is no PDF')).json()).toMatchObject({ status: 422 })
  expect(await (await attach(conversationId, 'a.txt', '句子很多。'.repeat(60_000))).json()).toMatchObject({
    status: 413,
    code: 'too_large',
  })
  expect(readdirSync(stack.folder)).toEqual(['manual.md'])
})
