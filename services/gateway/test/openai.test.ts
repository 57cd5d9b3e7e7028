import OpenAI from 'openai'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type MockUpstream, openMockUpstream } from '../../lib/testkit/src/mock-upstream.ts'
import { until } from '../../lib/testkit/src/until.ts'
import type { Gateway } from '../src/gateway-service.ts'
import { openPlace, type Place, passage, post, startAt, warrantyText } from './harness.ts'
import { asking } from './with-model.ts'

/** The client that others use, as it is: it must send a key, and of an error it shows what stands in `error`. */
describe('the openai package', () => {
  const scope = new AsyncDisposableStack()
  let place: Place
  let gateway: Gateway
  let guarded: Gateway
  let model: MockUpstream
  let written: Gateway
  let named: Gateway
  beforeAll(async () => {
    place = await openPlace(scope)
    gateway = await startAt(place, scope)
    guarded = await startAt(place, scope, { ACCESS: 'keys' })
    model = scope.use(await openMockUpstream())
    written = await startAt(place, scope, { ...asking(model), TRUST_PROXY: '1' })
    named = await startAt(place, scope, { PUBLIC_URL: 'https://docs.example.org/ask/' })
  })
  afterAll(() => scope.disposeAsync())

  const client = (apiKey: string, at = gateway) => new OpenAI({ apiKey, baseURL: `${at.url}/v1`, maxRetries: 0 })
  const messages = [{ role: 'user' as const, content: '保修期是多久？' }]
  const failureOf = (asked: Promise<unknown>) =>
    asked.then(
      () => undefined,
      (error: unknown) => error as InstanceType<typeof OpenAI.APIError>,
    )

  test('a placeholder for a key is none, at these addresses and nowhere else; a wrong key is never anonymous', async () => {
    for (const key of ['none', 'EMPTY', 'not-needed', 'lm-studio', 'ollama', 'sk-no-key-required', 'dummy']) {
      const { choices } = await client(key).chat.completions.create({ model: 'neutral', messages })
      expect(choices[0]!.message.content, key).toContain('24 个月')
    }
    expect((await client('none').models.list()).data.length).toBeGreaterThan(0)
    const wrong = await failureOf(client('sk-wrong').chat.completions.create({ model: 'neutral', messages }))
    expect(wrong).toMatchObject({ status: 401, code: 'unauthorized', type: 'authentication_error', param: null })
    expect(wrong!.message).toContain('This key is not known')
    for (const path of ['/api/v1/ask', '/api/ask', '/chat'])
      expect((await post(gateway.url + path, { question: 'x', message: 'x' }, { authorization: 'Bearer none' })).status, path).toBe(401)
  })

  test('where keys are needed a placeholder is told so', async () => {
    const refused = await failureOf(client('EMPTY', guarded).chat.completions.create({ model: 'neutral', messages }))
    expect(refused).toMatchObject({ status: 401, type: 'authentication_error' })
    expect(refused!.message).toContain('Asking needs a key here')
  })

  test('errors keep their problem fields and carry what the client shows', async () => {
    const bad = await failureOf(client('none').chat.completions.create({ model: 'neutral', messages, temperature: 9 }))
    expect(bad).toMatchObject({ status: 400, code: 'validation', type: 'invalid_request_error', param: 'temperature' })
    expect(bad!.message).toContain('temperature')
    const missing = await failureOf(client('none').embeddings.create({ model: 'x', input: 'x' }))
    expect(missing!.message).toContain('No such address')
    const plain = await post(`${gateway.url}/v1/chat/completions`, { messages: [] })
    expect(await plain.json()).toMatchObject({ code: 'validation', status: 400, error: { param: 'messages' } })
    expect(await (await post(`${gateway.url}/api/v1/ask`, {})).json()).not.toHaveProperty('error')
  })

  test('tokens are told where no model was asked, too: in one more chunk when the client asks for it', async () => {
    const whole = await client('none').chat.completions.create({ model: 'neutral', messages })
    expect(whole.usage!.completion_tokens).toBeGreaterThan(5)
    expect(whole.usage!.total_tokens).toBe(whole.usage!.prompt_tokens + whole.usage!.completion_tokens)
    const chunksOf = async (extra: object) => {
      const stream = await client('none').chat.completions.create({ model: 'neutral', messages, stream: true, ...extra })
      return Array.fromAsync(stream)
    }
    const chunks = await chunksOf({ stream_options: { include_usage: true } })
    expect(chunks.at(-1)).toMatchObject({ choices: [], usage: whole.usage })
    expect(new Set(chunks.map(({ model }) => model))).toEqual(new Set([whole.model]))
    expect(chunks.slice(0, -1).every(({ usage, choices }) => usage === null && choices.length === 1)).toBe(true)
    expect((await chunksOf({})).every(({ usage, choices }) => usage === undefined && choices.length === 1)).toBe(true)
  })

  type Annotated = {
    annotations?: { type: string; url_citation: { url: string; title: string; start_index: number; end_index: number } }[]
  }
  const lastOf = async (stream: AsyncIterable<OpenAI.ChatCompletionChunk>) => (await Array.fromAsync(stream)).at(-1)!.choices[0]!

  test('the sources are annotations, streamed too: in the order of their numbers, with links that open', async () => {
    const page = passage('Seite 7', {
      documentId: '22222222-2222-4222-8222-222222222222',
      title: 'Guide',
      heading: 'Guide › Terms',
      page: 7,
    })
    place.neighbours.passages = [page, passage(warrantyText)]
    const text = '保修期为 24 个月 [2]。人为损坏不在保修范围内 [2]。'
    model.pieces = [text]
    const asked = { model: 'neutral', messages: [{ role: 'user' as const, content: '两个来源的保修期？' }] }
    const streamed = await lastOf(await client('none', written).chat.completions.create({ ...asked, stream: true }))
    const whole = (await client('none', written).chat.completions.create(asked)).choices[0]!
    for (const { told, at } of [
      { told: streamed.delta as Annotated, at: streamed.finish_reason },
      { told: whole.message as Annotated, at: whole.finish_reason },
    ]) {
      expect(at).toBe('stop')
      expect(told.annotations!.every(({ type }) => type === 'url_citation')).toBe(true)
      const links = told.annotations!.map(({ url_citation }) => url_citation)
      expect(links.map(({ title }) => title)).toEqual(['Guide › Terms, 第 7 页', 'Manual', 'Manual'])
      expect(links.map(({ start_index, end_index }) => text.slice(start_index, end_index))).toEqual([
        '',
        '保修期为 24 个月',
        '人为损坏不在保修范围内',
      ])
      expect(links[0]!.url).toMatch(/#page=7$/)
      expect(new Set(links.map(({ url }) => url)).size).toBe(2)
      for (const { url } of links) expect(await (await fetch(url)).text()).toBe('<b>file</b>')
    }
    place.neighbours.passages = [passage(warrantyText)]
  })

  test('links name the address that was asked, as a trusted proxy saw it, or the one that is configured', async () => {
    const body = { model: 'neutral', messages }
    const proxied = { 'x-forwarded-host': 'docs.example.org:8443', 'x-forwarded-proto': 'https' }
    const linkOf = async (at: Gateway, headers: Record<string, string> = {}) => {
      const { choices } = (await (await post(`${at.url}/v1/chat/completions`, body, headers)).json()) as {
        choices: { message: Annotated }[]
      }
      return new URL(choices[0]!.message.annotations![0]!.url_citation.url)
    }
    expect((await linkOf(written, proxied)).origin).toBe('https://docs.example.org:8443')
    expect((await linkOf(gateway, proxied)).origin).toBe(gateway.url)
    expect((await linkOf(named, proxied)).href).toMatch(/^https:\/\/docs\.example\.org\/ask\/api\/v1\/citations\/[\w-]+\/file$/)
  })

  test('an answer that is not whole says so in its finish_reason, and what was warned of stands beside it', async () => {
    const broken = { choices: [{ index: 0, delta: { content: '保修期' }, finish_reason: null }] }
    const cut = { choices: [{ index: 0, delta: { content: '保修期' }, finish_reason: 'length' }] }
    const body = (event: object) => ({ body: { type: 'text/event-stream', text: `data: ${JSON.stringify(event)}\n\n` } })
    const reasonOf = async (content: string) => {
      const asked = { model: 'neutral', messages: [{ role: 'user' as const, content }] }
      const { choices } = await client('none', written).chat.completions.create(asked)
      return choices[0]!.finish_reason
    }
    model.reply = () => body(broken)
    expect(await reasonOf('断在半路的保修期？')).toBe('length')
    model.reply = () => body(cut)
    expect(await reasonOf('太长的保修期？')).toBe('length')
    const stream = await client('none', written).chat.completions.create({
      model: 'neutral',
      messages: [{ role: 'user', content: '太长的保修期，流式？' }],
      stream: true,
    })
    const last = (await Array.fromAsync(stream)).at(-1)!
    expect(last.choices[0]!.finish_reason).toBe('length')
    expect(last).toMatchObject({ docent: { warnings: expect.arrayContaining([expect.objectContaining({ code: 'length' })]) } })
    model.reply = undefined
  })

  test('a client that leaves ends the model’s work: none of them can come back', async () => {
    model.pieces = Array.from({ length: 1_000 }, (_, i) => `词${i} `)
    model.mode = 'slow'
    model.pieceMs = 20
    const stream = await client('none', written).chat.completions.create({
      model: 'neutral',
      messages: [{ role: 'user', content: '没有人等的保修期？' }],
      stream: true,
    })
    for await (const { choices } of stream) if (choices[0]!.delta.content) break
    await until('its socket to the model is closed', () => model.open() === 0 || undefined)
    expect(model.hangUps).toHaveLength(1)
    model.mode = 'good'
    model.pieceMs = 0
  })

  test('one model is told, and one that is not there is not found', async () => {
    expect(await client('none').models.retrieve('neutral')).toMatchObject({ id: 'neutral', object: 'model' })
    expect(await failureOf(client('none').models.retrieve('gpt-9'))).toMatchObject({ status: 404 })
  })

  test('what would be taken for something else is refused in words; what changes nothing is not', async () => {
    const create = (extra: object) => client('none').chat.completions.create({ model: 'neutral', messages, ...extra })
    const picture = [
      { type: 'text', text: '这是什么？' },
      { type: 'image_url', image_url: { url: 'data:image/png;base64,AAAA' } },
    ]
    for (const [extra, word] of [
      [{ response_format: { type: 'json_object' } }, 'response_format'],
      [{ tool_choice: 'required', tools: [] }, 'tool_choice'],
      [{ messages: [{ role: 'user', content: picture }] }, 'a picture'],
      [{ messages: [{ role: 'user', content: '' }] }, 'is empty'],
      [{ messages: [...messages, { role: 'assistant', content: 'The' }] }, 'end with a message of the user'],
    ] as const) {
      const refused = await failureOf(create(extra))
      expect(refused, word).toMatchObject({ status: 400, code: 'validation' })
      expect(refused!.message).toContain(word)
    }
    const fine = { response_format: { type: 'text' }, tool_choice: 'auto', tools: [], user: 'me', seed: 1, stop: ['x'], temperature: null }
    expect((await create(fine)).choices[0]!.finish_reason).toBe('stop')
    const zh = { 'accept-language': 'zh-CN' }
    const inChinese = await post(`${gateway.url}/v1/chat/completions`, { messages: [{ role: 'user', content: picture }] }, zh)
    expect(await inChinese.json()).toMatchObject({
      error: { message: expect.stringContaining('请用文字提问'), param: 'messages.0.content' },
    })
    // a picture that was sent before, and a long conversation
    const turns = Array.from({ length: 1_000 }, (_, i) => ({ role: i % 2 ? 'assistant' : 'user', content: '说'.repeat(200) }))
    const long = [{ role: 'user', content: picture }, { role: 'assistant', content: 'x' }, ...turns, ...messages]
    expect((await create({ messages: long })).choices[0]!.message.content).toContain('24 个月')
  })
})
