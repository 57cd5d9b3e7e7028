import { expect, test } from 'vitest'
import { createSseScanner } from './sse-scan.ts'
import { createToolCalls, toOpenAiMessage } from './tool-calls.ts'

const line = (delta: object) => Buffer.from(`data: ${JSON.stringify({ choices: [{ delta }] })}\n\n`)

test('calls are put together from their pieces, in order, also when two are written at once', () => {
  const calls = createToolCalls()
  calls.push([{ index: 1, id: 'b', function: { name: 'date', arguments: '' } }])
  calls.push([{ index: 0, id: 'a', function: { name: 'search', arguments: '{"que' } }])
  calls.push([
    { index: 0, function: { arguments: 'ry":"x"}' } },
    { index: 1, function: { arguments: '{}' } },
  ])
  expect(calls.take()).toEqual([
    { id: 'a', name: 'search', arguments: '{"query":"x"}' },
    { id: 'b', name: 'date', arguments: '{}' },
  ])
  expect(calls.take()).toBeUndefined()
})

test('servers that leave index and id out are understood', () => {
  const calls = createToolCalls()
  calls.push([{ id: 'a', function: { name: 'search', arguments: '{}' } }])
  calls.push([{ id: 'b', function: { name: 'date' } }])
  calls.push([{ function: { arguments: '{}' } }])
  expect(calls.take()?.map(({ name, arguments: given }) => name + given)).toEqual(['search{}', 'date{}'])
  calls.push([{ index: 0, function: { name: 'date', arguments: '{}' } }])
  expect(calls.take()).toEqual([{ id: 'call_0', name: 'date', arguments: '{}' }])
})

test('calls without measure or sense end the stream', () => {
  expect(() => createToolCalls().push([{ index: 0, function: { arguments: 'x'.repeat(20_001) } }])).toThrow('more tools')
  expect(() => createToolCalls().push(Array.from({ length: 17 }, (_, index) => ({ index, function: { name: 'date' } })))).toThrow(
    'more tools',
  )
  expect(() => createToolCalls().push(['date'])).toThrow('not understood')
})

test('the scanner sees a call beside empty text, wherever the bytes are cut, when tools were offered', () => {
  const bytes = line({
    role: 'assistant',
    content: '',
    tool_calls: [{ index: 0, id: 'a', function: { name: 'date', arguments: '{"a":"é"}' } }],
  })
  for (let cut = 0; cut <= bytes.length; cut++) {
    const scanner = createSseScanner({ tools: true })
    const parts = [scanner.push(bytes.subarray(0, cut)), scanner.push(bytes.subarray(cut))]
    expect(parts.flatMap(({ toolCalls }) => toolCalls ?? [])).toEqual([
      { index: 0, id: 'a', function: { name: 'date', arguments: '{"a":"é"}' } },
    ])
  }
  expect(createSseScanner().push(line({ content: 'x' }))).toMatchObject({ text: 'x', active: true })
})

test('calls and their results go back in the shape of OpenAI', () => {
  expect(toOpenAiMessage({ role: 'assistant', content: '', toolCalls: [{ id: 'a', name: 'date', arguments: '{}' }] })).toEqual({
    role: 'assistant',
    content: null,
    tool_calls: [{ id: 'a', type: 'function', function: { name: 'date', arguments: '{}' } }],
  })
  expect(toOpenAiMessage({ role: 'tool', content: 'now', toolCallId: 'a' })).toEqual({ role: 'tool', content: 'now', tool_call_id: 'a' })
  expect(toOpenAiMessage({ role: 'user', content: 'hi' })).toEqual({ role: 'user', content: 'hi' })
})
