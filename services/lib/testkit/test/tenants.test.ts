import { afterAll, beforeAll, expect, test } from 'vitest'
import { canariesIn, canaryOf, openTenants, questions, type Tenant, type Tenants } from './tenants.ts'

const QUESTIONS = 1_000
const AT_ONCE = 12
const SEED = 14
const scope = new AsyncDisposableStack()
let world: Tenants
beforeAll(async () => {
  world = await openTenants(scope, 4)
}, 120_000)
afterAll(() => scope.disposeAsync())

type Asked = { way: string; asker: Tenant; status: number; text: string }
type Pick = <T>(from: readonly T[]) => T
type Way = (asker: Tenant, other: Tenant, pick: Pick) => [method: string, path: string, body?: object]

const uuid = '00000000-0000-4000-8000-000000000000'
/** A person whose documents the asker may not read. */
const led = (asker: Tenant, pick: Pick) => pick(world.all.filter((one) => one.led && one !== asker)).led!
const shelf = (pick: Pick) => pick([0, 1, 2, 3])
const posts = (path: string, body: object): ReturnType<Way> => ['POST', path, body]
const asks = (question: string, more: object = {}) => posts('/api/v1/ask', { question, ...more })

/** Ways to come by what another one may read; half of them ask a question. */
const ways: Record<string, Way> = {
  'asks what all ask': (_asker, _other, pick) => asks(pick(questions)),
  'asks what all ask, once more': (_asker, _other, pick) => asks(pick(questions)),
  // what the file says: of the other places his folder may say enough without it
  'asks within his own conversation, which has a file': (asker) => asks(questions[0]!, { conversationId: asker.attached.conversation }),
  'asks within the conversation of another one': (_asker, other, pick) =>
    asks(pick(questions), { conversationId: other.attached.conversation }),
  'asks for the collection of another one': (_asker, _other, pick) =>
    asks(pick(questions), { filters: { collection: `shelf${shelf(pick)}` } }),
  'asks for the folder of a group': (_asker, _other, pick) => asks(pick(questions), { filters: { pathPrefix: `group${shelf(pick)}/` } }),
  'asks what was approved for another one': (asker, _other, pick) => asks(led(asker, pick).approved),
  'asks for a canary itself': (asker, _other, pick) => asks(`What is ${pick(['readers', 'collection'])} ${led(asker, pick).approved}`),
  'asks by the OpenAI door': (_asker, _other, pick) =>
    posts('/v1/chat/completions', { messages: [{ role: 'user', content: pick(questions) }] }),
  'asks by the old door': (_asker, _other, pick) => posts('/chat', { message: pick(questions) }),
  searches: (_asker, _other, pick) => posts('/api/v1/search', { query: pick(questions), explain: true, limit: 20 }),
  'searches the folder of a group': (_asker, _other, pick) =>
    posts('/api/v1/search', { query: pick(questions), filters: { pathPrefix: `group${shelf(pick)}/` }, explain: true }),
  'opens a citation': (asker, _other, pick) => ['GET', `/api/v1/citations/${pick(led(asker, pick).citations)}`],
  'opens the file of a citation': (asker, _other, pick) => ['GET', `/api/v1/citations/${pick(led(asker, pick).citations)}/file`],
  'opens a shared link': (asker, _other, pick) => ['GET', led(asker, pick).share],
  'reads an answer': (asker, _other, pick) => ['GET', `/api/v1/answers/${led(asker, pick).answer}${pick(['', '/events'])}`],
  'reads a conversation': (_asker, other, pick) => [
    'GET',
    `/api/v1/conversations/${other.attached.conversation}${pick(['', '/messages', '/export', '/attachments', '/shares'])}`,
  ],
  'branches a conversation': (_asker, other) => posts(`/api/v1/conversations/${other.attached.conversation}/branch`, { messageId: uuid }),
  'lists conversations': (_asker, _other, pick) => ['GET', `/api/v1/conversations?q=${pick(['vault', 'QX', 'locker'])}`],
  'reads what is remembered': () => ['GET', '/api/v1/memory'],
  'reads a document': (asker, _other, pick) => [
    'GET',
    `/api/v1/documents/${led(asker, pick).document}${pick(['', '/file', '/chunks', '/preview'])}`,
  ],
  'lists documents': () => ['GET', '/api/v1/documents?limit=100'],
  'reads a record': (asker, _other, pick) => ['GET', pick(['/api/v1/records', `/api/v1/records/${led(asker, pick).answer}`])],
  'reads approved answers and gaps': (_asker, _other, pick) => ['GET', `/api/v1/${pick(['saved-answers', 'gaps', 'golden'])}`],
  'regenerates an answer': (asker, _other, pick) => posts(`/api/v1/answers/${led(asker, pick).answer}/regenerate`, {}),
}

/** The same questions on every run. */
function seeded(seed: number): () => number {
  let state = seed
  return () => (state = (state * 48_271) % 2_147_483_647) / 2_147_483_647
}

test(`C14 ${QUESTIONS} questions across tenants, by ${Object.keys(ways).length} ways and many at once: nobody is shown what another one alone may read`, {
  timeout: 120_000,
}, async () => {
  const random = seeded(SEED)
  const pick: Pick = (from) => from[Math.floor(random() * from.length)]!
  const names = Object.keys(ways)
  const plan = Array.from({ length: QUESTIONS }, (_, i) => {
    const asker = pick(world.all)
    const way = names[i % names.length]!
    const other = pick(world.all.filter((one) => one !== asker))
    return { way, asker, request: ways[way]!(asker, other, pick) }
  })
  const seen: Asked[] = []
  const left = plan.values()
  await Promise.all(
    Array.from({ length: AT_ONCE }, async () => {
      for (const { way, asker, request } of left) seen.push({ way, asker, ...(await world.call(asker.headers, ...request)) })
    }),
  )

  expect(seen.length).toBe(QUESTIONS)
  const leaks = seen.flatMap(({ way, asker, text }) =>
    [...canariesIn(text)].filter((canary) => !asker.may.has(canary)).map((canary) => `${asker.name} ${way}: ${canary}`),
  )
  expect(leaks).toEqual([])
  expect(seen.filter(({ status }) => status >= 500).map(({ way, asker, status }) => `${asker.name} ${way}: ${status}`)).toEqual([])

  // it was looked for where there was something to see: each is shown his own
  const shown = (asker: Tenant) => new Set(seen.filter((one) => one.asker === asker).flatMap(({ text }) => [...canariesIn(text)]))
  for (const one of world.all) {
    const canaries = shown(one)
    for (const own of [one.attached.canary, one.memory]) if (own) expect(canaries.has(own), `${one.name} ${own}`).toBe(true)
    if (one.name.startsWith('key')) expect(canaries).toContain(canaryOf('collection', one.name.slice(3)))
    if (one.isPerson) expect(canaries).toContain(canaryOf('readers', one.name.slice(6)))
  }
  const { text: records } = await world.call(world.admin, 'GET', '/api/v1/records?format=jsonl')
  expect(records.match(/"cache":"hit"/g)?.length).toBeGreaterThan(20)
  const answered = (way: string) => seen.filter((one) => one.way === way && one.status === 200)
  for (const way of ['asks what all ask', 'asks by the OpenAI door', 'asks by the old door', 'searches', 'opens a shared link'])
    expect(answered(way).length, way).toBeGreaterThan(5)
  for (const way of ['asks within the conversation of another one', 'reads a conversation', 'reads a record', 'opens a citation'])
    expect(new Set(seen.filter((one) => one.way === way).map(({ status }) => status >= 401 && status <= 404)), way).toEqual(new Set([true]))
})
