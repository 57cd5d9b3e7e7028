import OpenAI from 'openai'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Gateway } from '../src/gateway-service.ts'
import { openPlace, type Place, post, startAt } from './harness.ts'

/** The client that others use, as it is: it must send a key, and of an error it shows what stands in `error`. */
describe('the openai package', () => {
  const scope = new AsyncDisposableStack()
  let place: Place
  let gateway: Gateway
  let guarded: Gateway
  beforeAll(async () => {
    place = await openPlace(scope)
    gateway = await startAt(place, scope)
    guarded = await startAt(place, scope, { ACCESS: 'keys' })
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
})
