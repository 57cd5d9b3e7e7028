import type { Emotion } from '@docent/core/answer-event'
import { expect, test } from 'vitest'
import { emotionOf, toneRules } from './emotion.ts'

const said: [string, Emotion][] = [
  ['保修期是多久？', 'neutral'],
  ['How long is the warranty?', 'neutral'],
  ['气死我了，又坏了！保修吗？', 'angry'],
  ['這台機器太差，我很不滿！', 'angry'],
  ['我对这个答复不满意。', 'angry'],
  ["I'm fed up with this useless printer.", 'angry'],
  ['I am not happy with the repair.', 'angry'],
  ['我很担心它会漏电，保修吗？', 'anxious'],
  ["I'm worried that the battery may swell.", 'anxious'],
  ['很急，今天怎么退货？在线等', 'urgent'],
  ['It’s urgent: how do I reset the X100?', 'urgent'],
  ['I need the manual ASAP', 'urgent'],
  ['this is really urgent', 'urgent'],
  ['用了三天就坏，好失望。', 'sad'],
  ["I'm really sad that it broke.", 'sad'],
  ['今天不开心', 'sad'],
  ['太好了，谢谢！还能延保吗？', 'happy'],
  ['I love it! Can I extend the warranty?', 'happy'],
]
test.for(said)('%s is %s', ([text, emotion]) => {
  expect(emotionOf(text)).toBe(emotion)
})

const notSaid = [
  '不着急，什么时候能修好？',
  '我不担心，只是问问。',
  '别生气，保修期多久？',
  '我没有生气',
  '不是很急',
  "I'm not worried, just asking.",
  "I'm not in a hurry.",
  'No, I am not angry at all.',
  "It isn't really urgent.",
  // what is asked about, not how
  '客户满意度怎么计算？',
  '不满足条件怎么办？',
  '垃圾分类的规定是什么？',
  'How do I file an urgent request?',
  'Which request is urgent?',
  'Where is the emergency exit?',
  '紧急出口在哪里？',
  'Who wrote The Sadness of Geography?',
]
test.for(notSaid)('%s is neutral', (text) => {
  expect(emotionOf(text)).toBe('neutral')
})

test('the label said most often wins', () => {
  expect(emotionOf('很急很急，我有点担心')).toBe('urgent')
  expect(emotionOf('担心、害怕，很急')).toBe('anxious')
})

test('a long text takes no long time', () => {
  const text = `${'不'.repeat(2_000)}${'not a '.repeat(300)}`
  const started = performance.now()
  expect(emotionOf(text)).toBe('neutral')
  expect(performance.now() - started).toBeLessThan(1_000)
})

test('a tone is one line, and neutral has none', () => {
  expect(toneRules('angry')).toHaveLength(1)
  expect(toneRules('neutral')).toEqual([])
  expect(toneRules(undefined)).toEqual([])
})
