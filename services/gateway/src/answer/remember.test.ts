import { expect, test } from 'vitest'
import { fittingFacts, MEMORY_TOKENS, merged, readReply } from './remember.ts'
import { estimateTokens } from './tokens.ts'

const known = [
  { id: 'a', fact: '读者住在北京。' },
  { id: 'b', fact: 'The reader owns an X100.' },
]

test('only facts that quote the question are taken; what the model adds is dropped', () => {
  const reply = JSON.stringify([
    { fact: '读者养了两只猫。', quote: '我养了两只猫' },
    { fact: '读者很富有。', quote: '我很富有' },
    { fact: 'x'.repeat(300), quote: '两只猫' },
    { fact: '读者爱猫。', quote: '' },
  ])
  expect(readReply(`Here you are:\n${reply}`, '我养了两只猫，保修期是多久？', [])).toEqual([{ fact: '读者养了两只猫。' }])
})

test('a correction names the fact it replaces; a number that stands for none is no correction', () => {
  const reply = (replaces: number) => JSON.stringify([{ fact: '读者住在上海。', quote: '我搬到上海了', replaces }])
  expect(readReply(reply(1), '我搬到上海了', known)).toEqual([{ fact: '读者住在上海。', replaces: 'a' }])
  expect(readReply(reply(9), '我搬到上海了', known)).toEqual([{ fact: '读者住在上海。' }])
})

test('what is no list of facts is an error, not a fact', () => {
  for (const reply of ['', 'Nothing.', '[1]', '[{"fact":1}]', '{"fact":"a"}'])
    expect(() => readReply(reply, 'a', [])).toThrow('list of facts')
  expect(readReply('[]', 'a', [])).toEqual([])
})

test('near-duplicates take the place of what is there, others stand beside it', () => {
  expect(merged([{ fact: '读者住在北京市。' }], known)).toEqual([{ fact: '读者住在北京市。', replaces: 'a' }])
  expect(merged([{ fact: 'the reader owns an X100' }], known)).toEqual([{ fact: 'the reader owns an X100', replaces: 'b' }])
  expect(merged([{ fact: 'The reader owns an X200.' }], known)).toEqual([{ fact: 'The reader owns an X200.' }])
  expect(merged([{ fact: '读者住在上海。' }], known)).toEqual([{ fact: '读者住在上海。' }])
})

test('a prompt holds the latest facts that fit', () => {
  const facts = Array.from({ length: 40 }, (_, i) => ({ id: String(i), fact: `第 ${i} 件事，`.repeat(20) }))
  const fit = fittingFacts({ epoch: 0, facts })
  expect(fit.length).toBeGreaterThan(0)
  expect(fit).toEqual(facts.slice(0, fit.length))
  expect(fit.reduce((sum, { fact }) => sum + estimateTokens(fact), 0)).toBeLessThan(MEMORY_TOKENS)
  expect(fittingFacts(undefined)).toEqual([])
})
