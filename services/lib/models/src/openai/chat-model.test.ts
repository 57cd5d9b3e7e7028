import { once } from 'node:events'
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect, onTestFinished, test } from 'vitest'
import type { ChatPart } from '../chat-model.ts'
import { openAiChatModel } from './chat-model.ts'

/** A model that says `event` again and again, for ever. */
async function endless(event: string) {
  const closed = Promise.withResolvers<void>()
  const server = createServer((_req, res: ServerResponse) => {
    res.writeHead(200, { 'content-type': 'text/event-stream' })
    const saying = setInterval(() => res.write(event), 20)
    res.on('close', () => {
      clearInterval(saying)
      closed.resolve()
    })
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => void server.close())
  const baseUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`
  const model = openAiChatModel({
    name: 'endless',
    baseUrl,
    apiKey: '',
    model: 'm',
    firstTokenMs: 30_000,
    silenceMs: 30_000,
    answerMs: 400,
  })
  return { model, closed: closed.promise }
}

const delta = (fields: object) => `data: ${JSON.stringify({ choices: [{ index: 0, delta: fields, finish_reason: null }] })}\n\n`
const request = { messages: [{ role: 'user' as const, content: 'x' }], temperature: 0, maxTokens: 16 }

test.for([
  ['that only reasons', delta({ reasoning_content: 'hm ' }), ''],
  ['that calls a tool nobody offered, piece by piece', delta({ tool_calls: [{ index: 0, function: { arguments: 'x' } }] }), ''],
  ['that reasons between its words', `${delta({ content: '.' })}${delta({ reasoning: 'hm ' })}`, '.'],
] as const)('a model %s without an end is left when its time is over, and its socket is closed', async ([, event, word]) => {
  const { model, closed } = await endless(event)
  const parts: ChatPart[] = []
  const hear = (part: ChatPart) => parts.push(part) > 0
  await expect(model.stream(request, new AbortController().signal, hear)).rejects.toMatchObject({ code: 'timeout' })
  await closed
  expect(new Set(parts.flatMap(({ text }) => [...text]))).toEqual(new Set(word))
})

test('each question goes out with the key and its own words, and a refusal keeps its Retry-After', async () => {
  const asked: { head: Record<string, unknown>; body: string }[] = []
  const server = createServer(async (req, res) => {
    let body = ''
    for await (const part of req) body += String(part)
    asked.push({ head: { ...req.headers, url: req.url }, body })
    if (body.includes('too much')) return void res.writeHead(429, { 'retry-after': '7' }).end('{"error":{"message":"slow down"}}')
    res
      .writeHead(200, { 'content-type': 'text/event-stream' })
      .end('data: {"choices":[{"delta":{},"finish_reason":"stop"}]}\n\ndata: [DONE]\n\n')
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => void server.close())
  const baseUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`
  const model = openAiChatModel({ name: 'n', baseUrl, apiKey: 'the-key', model: 'm' })
  const say = (content: string) =>
    model.stream({ ...request, messages: [{ role: 'user', content }] }, new AbortController().signal, () => true)
  await say('first words')
  await say('second words')
  await expect(say('too much')).rejects.toMatchObject({ code: 'rate_limited', retryAfterS: 7 })
  expect(asked.map(({ head }) => [head.url, head.authorization, head['content-type']])).toEqual(
    Array(3).fill(['/v1/chat/completions', 'Bearer the-key', 'application/json']),
  )
  expect(asked.map(({ body }) => (JSON.parse(body) as { messages: { content: string }[] }).messages[0]?.content)).toEqual([
    'first words',
    'second words',
    'too much',
  ])
})

/** What is heard of a model that answers with `body`. */
async function heard(type: string, body: string): Promise<ChatPart[]> {
  const server = createServer((_req, res) => res.writeHead(200, { 'content-type': type }).end(body)).listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => void server.close())
  const baseUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`
  const parts: ChatPart[] = []
  await openAiChatModel({ name: 'n', baseUrl, apiKey: '', model: 'm' }).stream(
    request,
    new AbortController().signal,
    (part) => parts.push(part) > 0,
  )
  return parts
}
const end = (reason: string) => `data: ${JSON.stringify({ choices: [{ index: 0, delta: {}, finish_reason: reason }] })}\n\ndata: [DONE]\n\n`
const textOf = (parts: ChatPart[]) => parts.map(({ text }) => text).join('')

test('reasoning that a server leaves in the text, and white space before the first word, are not part of the answer', async () => {
  const pieces = ['\n<th', 'ink>\nmaybe 99 [2]', '\n</thi', 'nk>\n\n', '24 ', 'months <b>'].map((content) => delta({ content }))
  expect(textOf(await heard('text/event-stream', pieces.join('') + end('stop')))).toBe('24 months <b>')
  expect(textOf(await heard('text/event-stream', delta({ content: '<think>for ever' }) + end('length')))).toBe('')
  expect(textOf(await heard('text/event-stream', delta({ content: '<' }) + end('stop')))).toBe('<')
  const whole = { choices: [{ message: { content: '<think>hm</think>\n24 months' }, finish_reason: 'length' }] }
  expect(await heard('application/json', JSON.stringify(whole))).toMatchObject([{ text: '24 months', finish: 'length' }])
})

test('why a model ended is told however it answers', async () => {
  expect((await heard('text/event-stream', delta({ content: 'a' }) + end('content_filter'))).at(-1)).toMatchObject({
    finish: 'content_filter',
  })
  const broken = { choices: [{ message: { content: 'a' }, finish_reason: 'error' }] }
  await expect(heard('application/json', JSON.stringify(broken))).rejects.toMatchObject({ code: 'upstream_failed' })
})

test('what a model refuses by name it is asked without, from then on; any other refusal is one', async () => {
  const says: Record<string, object> = {
    max_tokens: {
      error: {
        message: "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead.",
        param: 'max_tokens',
      },
    },
    temperature: { error: { message: "Unsupported value: 'temperature' does not support 0 with this model.", param: 'temperature' } },
    stream_options: { detail: [{ type: 'extra_forbidden', loc: ['body', 'stream_options'], msg: 'Extra inputs are not permitted' }] },
  }
  const asked: Record<string, unknown>[] = []
  const server = createServer(async (req, res) => {
    let text = ''
    for await (const part of req) text += String(part)
    const body = JSON.parse(text) as Record<string, unknown>
    asked.push(body)
    const refused = Object.keys(says).find((name) => name in body)
    if (refused) return void res.writeHead(refused === 'stream_options' ? 422 : 400).end(JSON.stringify(says[refused]))
    if (text.includes('too long')) return void res.writeHead(400).end('{"error":{"message":"max_tokens is too large for this context"}}')
    res.writeHead(200, { 'content-type': 'text/event-stream' }).end(delta({ content: 'yes' }) + end('stop'))
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => void server.close())
  const baseUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`
  const model = openAiChatModel({ name: 'n', baseUrl, apiKey: '', model: 'm' })
  const say = async (content: string) => {
    const parts: ChatPart[] = []
    const question = { ...request, messages: [{ role: 'user' as const, content }] }
    await model.stream(question, new AbortController().signal, (part) => parts.push(part) > 0)
    return textOf(parts)
  }
  expect(await Promise.all([say('first'), say('at the same time')])).toEqual(['yes', 'yes'])
  const learned = asked.length
  expect(asked.at(-1)).toMatchObject({ max_completion_tokens: request.maxTokens, stream: true })
  expect(await say('second')).toBe('yes')
  expect(asked).toHaveLength(learned + 1)
  await expect(say('too long')).rejects.toMatchObject({ code: 'bad_request' })
  expect(asked).toHaveLength(learned + 2)
})
