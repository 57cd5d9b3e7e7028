import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { SearchResponse } from '@docent/core/passage'
import { afterAll, beforeAll, expect, inject, test } from 'vitest'
import { type Stack, startStack } from '../src/start-stack.ts'
import { until } from '../src/until.ts'
import { openWordsModel } from '../src/words-model.ts'

type View = { id: number; model: string; state: string; isComplete: boolean; gate: { lost: { question: string; doc: string }[] } | null }
const candidate = 'words-only@48'
const papers = {
  'warranty.md': 'The guarantee of the product lasts for twenty-four months from the day of purchase.',
  'canteen.md': 'The canteen opens at half past eleven and is closed on Sundays.',
  'parking.md': 'Parking needs a registered number plate.',
  'badge.md': 'New colleagues collect a badge on their first day.',
  'library.md': 'Books may be borrowed for two weeks.',
  'gym.md': 'The gym opens at seven in the morning.',
  'parcels.md': 'Parcels wait at the front desk until the evening.',
  'tea.md': 'Tea is served on Wednesdays in the lobby.',
  'chairs.md': 'Broken chairs are replaced by facilities.',
  'printer.md': 'The printer on the second floor takes paper of two sizes.',
  'wifi.md': 'The password of the wireless network changes each quarter.',
  'travel.md': 'Train tickets are paid back within a fortnight.',
}
const scope = new AsyncDisposableStack()
let stack: Stack

const send = async (method: string, path: string, body?: object) => {
  const response = await fetch(stack.url + path, {
    method,
    headers: { authorization: `Bearer ${stack.adminKey}`, 'content-type': 'application/json' },
    ...(body ? { body: JSON.stringify(body) } : {}),
  })
  const text = await response.text()
  return { status: response.status, body: (text ? JSON.parse(text) : {}) as Record<string, unknown> }
}
const find = async (query: string, more: object = {}) =>
  (await send('POST', '/api/v1/search', { query, ...more })).body as unknown as SearchResponse
const view = async (model: string) => ((await send('GET', '/api/v1/generations')).body.items as View[]).find((one) => one.model === model)

beforeAll(async () => {
  const folder = mkdtempSync(join(tmpdir(), 'docent-generations-'))
  scope.defer(() => rmSync(folder, { recursive: true, force: true }))
  for (const [path, text] of Object.entries(papers)) writeFileSync(join(folder, path), text)
  stack = await startStack(inject('stores'), scope, {
    folder,
    env: {
      EMBEDDINGS_NEXT_PROVIDER: 'openai',
      EMBEDDINGS_NEXT_BASE_URL: await openWordsModel(scope),
      EMBEDDINGS_NEXT_MODEL: 'words-only',
      EMBEDDINGS_NEXT_DIMENSIONS: '48',
      EMBEDDINGS_NEXT_PRICE: '0.07',
      RECONCILE_INTERVAL_S: '1',
      FEED_POLL_MS: '500',
    },
  })
  for (const path of Object.keys(papers)) await stack.settled(path, 'ready')
  await until('meaning is searched', async () => ((await find('保修期是多久？')).passages[0]?.path === 'warranty.md' ? true : undefined))
}, 120_000)
afterAll(() => scope.disposeAsync())

test('a candidate is built beside, judged by the golden questions, switched to and back, and no search is without meaning meanwhile', async () => {
  const asked = await stack.ask('How long does the guarantee last?')
  expect(asked.citations.length).toBeGreaterThan(0)
  const cross = await stack.ask('哪里可以健身？')
  expect((await send('POST', `/api/v1/records/${cross.id}/golden`, { doc: 'gym.md' })).status).toBe(201)

  // searches all the while: each in one generation, with both legs
  const outcomes: Pick<SearchResponse, 'generation' | 'degraded'>[] = []
  let searching = true
  const searches = (async () => {
    for (let n = 0; searching; n++) {
      const { generation, degraded } = await find(`When does the canteen open, question ${n}?`)
      outcomes.push({ generation, degraded })
    }
  })()

  const dry = await send('POST', '/api/v1/generations?dryRun=true', { model: candidate })
  expect(dry).toMatchObject({ status: 200, body: { estimate: { missing: 12, money: { currency: 'USD' } } } })
  expect(await send('POST', '/api/v1/generations', { model: candidate })).toMatchObject({ status: 202, body: { state: 'building' } })
  const built = await until('it is built', async () => ((await view(candidate))?.isComplete ? view(candidate) : undefined), 30_000)
  const first = (await find('canteen')).generation!
  expect(first).not.toBe(built.id)

  // no word of the question, nor any that the dictionary has for one, stands in the text: only meaning finds it
  expect(await send('POST', `/api/v1/generations/${built.id}/activate`, {})).toMatchObject({ status: 409, body: { code: 'gate_failed' } })
  expect((await view(candidate))?.gate?.lost).toEqual([{ question: '哪里可以健身？', doc: 'gym.md' }])
  expect((await find('canteen')).generation).toBe(first)
  expect(await find('When does the gym open?', { generation: built.id })).toMatchObject({ generation: built.id, degraded: [] })

  expect(await send('POST', `/api/v1/generations/${built.id}/activate`, { force: true })).toMatchObject({
    status: 200,
    body: { state: 'active' },
  })
  await until('searches follow', async () => ((await find('canteen')).generation === built.id ? true : undefined))
  const found = await find('When does the gym open?')
  expect(found).toMatchObject({ generation: built.id, degraded: [] })
  expect(found.passages[0]).toMatchObject({ path: 'gym.md', scores: { dense: expect.any(Number) as number } })

  // what was cited before is current, and opens
  for (const { citationId } of asked.sources) {
    expect((await send('GET', `/api/v1/citations/${citationId}`)).body.state).toBe('current')
    expect((await fetch(`${stack.url}/api/v1/citations/${citationId}/file`)).status).toBe(200)
  }

  expect(await send('POST', '/api/v1/generations/rollback', {})).toMatchObject({ status: 200, body: { id: first, state: 'active' } })
  await until('searches follow back', async () => ((await find('canteen')).generation === first ? true : undefined))
  expect((await find('保修期是多久？')).passages[0]?.path).toBe('warranty.md')
  searching = false
  await searches
  expect(new Set(outcomes.map(({ generation }) => generation))).toEqual(new Set([first, built.id]))
  expect(outcomes.filter(({ degraded }) => degraded.length > 0)).toEqual([])

  const again = await stack.ask('How long does the guarantee last?')
  expect(again.sources.map(({ path, documentId }) => [path, documentId])).toEqual(
    asked.sources.map(({ path, documentId }) => [path, documentId]),
  )
})

test('without golden questions nothing is compared, and it says so', async () => {
  const { questions } = (await send('GET', '/api/v1/golden')).body as { questions: { id: string }[] }
  for (const { id } of questions) await send('DELETE', `/api/v1/golden/${id}`)
  const { id } = (await view(candidate))!
  const verdict = await send('POST', `/api/v1/generations/${id}/gate`)
  expect(verdict).toMatchObject({
    status: 200,
    body: { passed: true, questions: 0, note: expect.stringContaining('no golden questions') as string },
  })
})

test('the candidate as a shadow of real questions, also of readers; promoted by one call', async () => {
  const { id } = (await view(candidate))!
  expect(await send('PATCH', '/api/v1/settings', { shadow: { percent: 100, generation: 999 } })).toMatchObject({ status: 404 })
  expect(await send('PATCH', '/api/v1/settings', { shadow: { percent: 100, generation: id } })).toMatchObject({ status: 200 })
  const answer = await stack.ask('When is tea served in the lobby?')
  expect(answer).toMatchObject({ state: 'done', degraded: [] })
  const { record } = await until('the record holds it', async () => {
    const found = (await send('GET', `/api/v1/records/${answer.id}`)).body as { record: { retrieval: object; shadow?: object } }
    return found.record.shadow ? found : undefined
  })
  expect(record).toMatchObject({ shadow: { generation: id, outcome: 'done', overlap: expect.any(Number) as number } })
  expect(record.retrieval).not.toMatchObject({ generation: id })
  expect(await send('GET', '/api/v1/shadow')).toMatchObject({ body: { shadow: { generation: id }, figures: { compared: 1 } } })

  const promoted = await send('POST', '/api/v1/shadow/promote', {})
  expect(promoted).toMatchObject({ status: 200, body: { settings: { shadow: null }, generation: { id, state: 'active' } } })
  await until('searches follow', async () => ((await find('canteen')).generation === id ? true : undefined))
  expect((await send('POST', '/api/v1/generations/rollback', {})).status).toBe(200)
})

test('only the owner searches another generation than the one that serves', async () => {
  const response = await fetch(`${stack.url}/api/v1/search`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ query: 'canteen', generation: 1 }),
  })
  expect([response.status, ((await response.json()) as { code: string }).code]).toEqual([403, 'forbidden'])
  expect(await send('POST', '/api/v1/search', { query: 'canteen', generation: 999 })).toMatchObject({
    status: 404,
    body: { code: 'not_found' },
  })
  expect(await send('POST', '/api/v1/generations/abc/activate', {})).toMatchObject({ status: 400, body: { code: 'validation' } })
})
