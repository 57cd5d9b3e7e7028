import type { Passage } from '@docent/core/passage'
import { expect, test } from 'vitest'
import { chooseSources } from './choose-sources.ts'
import { buildPrompt } from './prompt.ts'

function passage(chunkId: string, text: string, more: Partial<Passage> = {}): Passage {
  const parent = { start: 0, end: text.length, text }
  return {
    chunkId,
    documentId: chunkId,
    title: 'Handbook',
    path: 'handbook.md',
    start: 0,
    end: text.length,
    text,
    parent,
    score: 1,
    ...more,
  } as Passage
}

const short = Array.from({ length: 8 }, (_, i) => passage(`s${i}`, `Section ${i}. ${'A rule that fills a line. '.repeat(4)}`))
const long = Array.from({ length: 8 }, (_, i) => passage(`l${i}`, 'A rule that fills a line. '.repeat(70)))

test('short sections leave room for more of them, long ones for no more than were asked for', () => {
  expect(chooseSources(short, 3)).toHaveLength(8)
  expect(chooseSources(long, 3)).toHaveLength(3)
  expect(chooseSources([...short.slice(0, 4), ...long], 3)).toHaveLength(4 + 1)
  expect(chooseSources(long, 5)).toHaveLength(5)
})

test('what is far behind the best takes no place beyond those that were asked for', () => {
  const falling = short.map((one, i) => ({ ...one, score: 1 - i / 6 }))
  expect(chooseSources(falling, 3)).toHaveLength(5)
})

test('a passage that is only a name takes no place, unless nothing else was found', () => {
  const name = passage('n', '# Handbook\n\nLeave', { heading: 'Handbook › Leave' })
  expect(chooseSources([name, ...short], 3).map(({ chunkId }) => chunkId)).not.toContain('n')
  expect(chooseSources([name], 3)).toEqual([name])
})

const prompt = (options: Partial<Parameters<typeof buildPrompt>[0]> = {}) =>
  buildPrompt({
    persona: 'Be brief.',
    question: '陪产假有几天？',
    tongue: 'zh',
    passages: short.slice(0, 2),
    history: [],
    historyTokens: 900,
    ...options,
  })

test('two passages of one section: the section stands in the prompt once, and the second by itself', () => {
  const section = 'First half of the section.\n\nSecond half of the section.'
  const parent = { start: 0, end: section.length, text: section }
  const [one, two] = [0, 28].map((start) => passage(`c${start}`, section.slice(start, start + 26), { documentId: 'd', parent, start }))
  const { content } = prompt({ passages: [one!, two!] }).at(-1)!
  expect(content.split('First half')).toHaveLength(2)
  expect(content.split('Second half')).toHaveLength(3)
})

test('the prompt says how to refuse, in the answer’s language or the persona’s words', () => {
  expect(prompt()[0]!.content).toContain('say: 文档中没有找到这个问题的答案。')
  expect(prompt({ tongue: 'en' })[0]!.content).toContain('say: The documents do not contain an answer to this question.')
  expect(prompt({ refusal: '请问前台。' })[0]!.content).toContain('If the sources do not hold the answer, say: 请问前台。')
  expect(prompt({ passages: [] })[0]!.content).not.toContain('sources')
})

test('a question may ask for another language, and earlier answers had other numbers', () => {
  expect(prompt()[0]!.content).toContain('Answer in Simplified Chinese (简体中文), unless the question asks for another language.')
  expect(prompt({ tongue: 'en', question: 'Wie lange?' })[0]!.content).toContain('unless the question is in another language')
  expect(prompt({ question: '保証期間は？' })[0]!.content).toContain('Answer in the language of the question.')
  expect(prompt()[0]!.content).not.toContain('earlier answers')
  const history = [
    { role: 'question' as const, text: '保修多久？' },
    { role: 'answer' as const, text: '24 个月 [1]。' },
  ]
  expect(prompt({ history })[0]!.content).toContain('Numbers in brackets in earlier answers stood for other sources.')
  expect(prompt({ history }).at(-1)!.content).toMatch(/\n\nQuestion: 陪产假有几天？$/)
})
