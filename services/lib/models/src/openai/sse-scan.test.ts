import { expect, test } from 'vitest'
import { createSseScanner, type Scanned } from './sse-scan.ts'

const piece = (content: string, extra = '') =>
  `data: {"id":"1","choices":[{"index":0,"delta":{"content":${JSON.stringify(content)}}${extra},"finish_reason":null}]}\n\n`
const end =
  'data: {"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}\n\ndata: {"choices":[],"usage":{"prompt_tokens":3,"completion_tokens":5}}\n\ndata: [DONE]\n\n'

function scan(bytes: Uint8Array, cut: number): Scanned {
  const scanner = createSseScanner()
  const all: Scanned = { text: '', active: false, done: false }
  const add = (part: Scanned) => {
    all.text += part.text
    all.active ||= part.active
    all.done ||= part.done
    if (part.finish) all.finish = part.finish
    if (part.usage) all.usage = part.usage
    if (part.error) all.error ??= part.error
  }
  for (let i = 0; i < bytes.length; i += cut) add(scanner.push(bytes.subarray(i, i + cut)))
  add(scanner.end())
  return all
}

const text = '你好 "quoted\\" \n tab\t😀 content":"x end\\'
for (const [name, newline] of [
  ['LF', '\n'],
  ['CRLF', '\r\n'],
  ['CR', '\r'],
] as const) {
  test(`text comes out whole wherever the bytes are cut, lines ending in ${name}`, () => {
    const stream = `﻿: hello\n\nevent: x\nid: 7\n${[...text].map((char) => piece(char)).join('')}${end}`.replaceAll('\n', newline)
    const bytes = Buffer.from(stream)
    for (const cut of [1, 2, 3, 7, 64, bytes.length]) {
      expect(scan(bytes, cut)).toEqual({ text, active: true, done: true, finish: 'stop', usage: { inputTokens: 3, outputTokens: 5 } })
    }
  })
}

test('reasoning is a sign of life but no text', () => {
  expect(
    scan(Buffer.from('data: {"choices":[{"delta":{"content":null,"reasoning_content":"\\"content\\":\\"x\\""}}]}\n\n'), 999),
  ).toMatchObject({ text: '', active: true })
})

test.for([
  ['{"delta":{"reasoning_content":"hm","content":null}}', ''],
  ['{"delta":{"reasoning_content":"hm","content":"a"}}', 'a'],
  ['{"delta":{"content":"a","reasoning_content":"hm"}}', 'a'],
  ['{"my_delta":{"content":"no"},"delta":{"content":"a"}}', 'a'],
] as const)('a name that only ends like another is another: %s', ([choice, expected]) => {
  const lines = `data: {"choices":[${choice}]}\n\n`
  expect(scan(Buffer.from(`${lines}${piece('b')}${lines}`), 999).text).toBe(`${expected}b${expected}`)
})

test('text and finish_reason in one line are both seen, as is text with spaces after colons', () => {
  expect(scan(Buffer.from('data: {"choices":[{"delta":{"content":"a"},"finish_reason":"length"}]}\n'), 999)).toMatchObject({
    text: 'a',
    finish: 'length',
  })
  expect(scan(Buffer.from('data:{"choices": [{"delta": {"content": "b"}, "finish_reason": null}]}\n'), 999)).toMatchObject({ text: 'b' })
})

test('an event split over two data lines is joined', () => {
  expect(scan(Buffer.from('data: {"choices":[{"delta":\ndata: {"content": "b"}}]}\n\n'), 5)).toMatchObject({ text: 'b' })
})

test('an error object in mid-stream is told after the text before it, and one about the key says so', () => {
  expect(scan(Buffer.from(`${piece('a')}data: {"error":{"message":"x","code":503}}\n\n`), 999)).toMatchObject({
    text: 'a',
    error: { code: 'upstream_failed' },
  })
  expect(scan(Buffer.from('data: {"error":{"code":"insufficient_quota"}}\n\n'), 999)).toMatchObject({
    error: { code: 'upstream_unauthorized' },
  })
})

test.for([
  ['finish_reason error alone', '{"choices":[{"index":0,"delta":{"content":"b"},"finish_reason":"error"}]}', 'ab'],
  ['an object that is an error', '{"object":"error","message":"EngineDeadError","code":500}', 'a'],
] as const)('%s ends a stream as an error object does, even before [DONE]', ([, line, text]) => {
  expect(scan(Buffer.from(`${piece('a')}data: ${line}\n\ndata: [DONE]\n\n`), 999)).toMatchObject({
    text,
    error: { code: 'upstream_failed' },
  })
})

test('text that comes in parts is read, reasoning among them is not', () => {
  const parts = '[{"type":"thinking","thinking":[{"type":"text","text":"hm"}]},{"type":"text","text":"a"},{"type":"text","text":"b"}]'
  expect(scan(Buffer.from(`data: {"choices":[{"delta":{"content":${parts}}}]}\n\n`), 999)).toMatchObject({ text: 'ab', active: true })
})

test('damaged JSON and lines without end are refused', () => {
  expect(scan(Buffer.from('data: {"choices":[}\n\n'), 999).error?.message).toContain('not JSON')
  const scanner = createSseScanner()
  const megabyte = Buffer.alloc(1024 * 1024, 97)
  const errors = Array.from({ length: 11 }, () => scanner.push(megabyte).error?.message)
  expect(errors.slice(0, 10)).toEqual(Array(10).fill(undefined))
  expect(errors[10]).toContain('10 MB')
})
