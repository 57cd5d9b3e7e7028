import { expect, test } from 'vitest'
import { tongueOf } from './phrases.ts'
import { replyTo, smallTalkOf } from './small-talk.ts'

test.each([
  ['你好', 'greeting'],
  ['您好！', 'greeting'],
  ['Hello!!', 'greeting'],
  ['ＨＩ 👋', 'greeting'],
  ['謝謝', 'thanks'],
  ['好的，谢谢！', 'thanks'],
  ['Thank you.', 'thanks'],
  ['再見～', 'goodbye'],
  ['Good-bye', 'goodbye'],
  ['你是谁？', 'who'],
  ['你是誰', 'who'],
  ['What’s your name?', 'who'],
  ['What can you do?', 'who'],
  ['test', 'test'],
  ['测试', 'test'],
] as const)('%s is small talk', (turn, kind) => {
  expect(smallTalkOf(turn)).toBe(kind)
})

test.each([
  '',
  '？',
  '你好，保修期多久？',
  'Hello, how long is the warranty?',
  'Who are you going to call in a fire?',
  'How often is the penetration test?',
  '谁是主持人？',
  'test report',
  'Thanksgiving',
  '测试报告在哪里',
])('“%s” is a question', (turn) => {
  expect(smallTalkOf(turn)).toBeUndefined()
})

test('the reply is in the language and script of the turn', () => {
  expect(replyTo('who', tongueOf('你是谁？'))).toContain('文档')
  expect(replyTo('who', tongueOf('你是誰？'))).toContain('文件')
  expect(replyTo('greeting', tongueOf('hi'))).toContain('Hello')
})
