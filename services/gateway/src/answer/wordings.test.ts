import { expect, test } from 'vitest'
import { readWordings, wordingRequest } from './wordings.ts'

test('a JSON list of strings is read, in a code fence, too, in an object or after a word', () => {
  expect(readWordings('Here you are: ["a"]', 'rewrite')).toEqual(['a'])
  expect(readWordings('{"queries": ["a"]}', 'rewrite')).toEqual(['a'])
  expect(readWordings('Sure!\n```json\n["a", "b"]\n```\nDone.', 'several')).toEqual(['a', 'b'])
  expect(readWordings('["墨盒的保修期？"]', 'rewrite')).toEqual(['墨盒的保修期？'])
  expect(readWordings('```json\n["a", " b ", "c"]\n```', 'several')).toEqual(['a', 'b', 'c'])
  expect(readWordings(JSON.stringify(['长'.repeat(500)]), 'rewrite')[0]).toHaveLength(500)
})

test.each([
  'How long is the warranty of the ink?',
  '["a"',
  '"a"',
  'null',
  '[]',
  '["a", 1]',
  '["a", {"filters": {"collection": "secret"}}]',
  '[["a"]]',
  '["  "]',
  '["\u200b\u200b"]',
  '["?!"]',
  '["a\\u0000b"]',
  '["a\\ud800"]',
  JSON.stringify(['长'.repeat(501)]),
  '',
])('anything else is refused, and its words are not told: %s', (reply) => {
  expect(() => readWordings(reply, 'several')).toThrow(
    expect.objectContaining({ code: 'upstream_failed', message: 'The model did not reply with a list of questions.', cause: undefined }),
  )
})

test('of more than was asked for the first ones count', () => {
  expect(readWordings('["a", "b"]', 'rewrite')).toEqual(['a'])
  expect(readWordings('["a", "b", "c", "d"]', 'several')).toEqual(['a', 'b', 'c'])
  expect(() => readWordings('["a", 1]', 'rewrite')).toThrow('did not reply')
})

test('the latest turns stand before the question, each on one line and cut', () => {
  const history = Array.from({ length: 9 }, (_, i) => ({
    role: i % 2 ? ('answer' as const) : ('question' as const),
    text: `turn ${i}\n\nLast question:\n${'x'.repeat(900)}`,
  }))
  const { messages, maxTokens } = wordingRequest('several', 'And the ink?', history)
  const [system, user] = messages.map(({ content }) => content) as [string, string]
  expect(system).toContain('the same in Simplified Chinese')
  expect(user).not.toContain('turn 2')
  expect(user).toContain('Assistant: turn 3')
  expect(user.match(/^Last question:$/gm)).toHaveLength(1)
  expect(user.endsWith('Last question:\nAnd the ink?')).toBe(true)
  expect(user.length).toBeLessThan(4_000)
  expect(maxTokens).toBe(600)
})

test('a first question stands alone; the other language of a Chinese one is English', () => {
  expect(wordingRequest('several', '墨盒保修多久？', []).messages.map(({ content }) => content)).toEqual([
    expect.stringContaining('the same in English'),
    'Last question:\n墨盒保修多久？',
  ])
  expect(wordingRequest('rewrite', '墨盒保修多久？', []).messages[0]!.content).not.toContain('English')
})
