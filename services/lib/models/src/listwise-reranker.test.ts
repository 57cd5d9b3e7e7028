import { expect, test } from 'vitest'
import { createListwiseReranker } from './listwise-reranker.ts'

const signal = new AbortController().signal
const scores = (reply: string, texts = ['a', 'b', 'c']) => createListwiseReranker('mock', async () => reply).rerank('q', texts, signal)
const order = async (reply: string, texts?: string[]) =>
  (await scores(reply, texts))
    .map((score, i) => ({ score, i }))
    .sort((a, b) => b.score - a.score)
    .map(({ i }) => i + 1)

test.each([
  ['2, 3, 1', [2, 3, 1]],
  ['[3] > [1] > [2]', [3, 1, 2]],
  ['[2,1,3]', [2, 1, 3]],
  ['Of 3 passages the best are: 3, 2', [3, 2, 1]],
  ['2, 2, 9, 0, 1', [2, 1, 3]],
  ['3', [3, 1, 2]],
])('the order of %s', async (reply, expected) => {
  expect(await order(reply)).toEqual(expected)
})

test('scores fall evenly from 1, and never to 0', async () => {
  expect(await scores('2, 3, 1')).toEqual([1 - 2 / 3, 1, 1 - 1 / 3])
})

test('a reply without a number, or of none of the passages, is an error', async () => {
  await expect(scores('I cannot say.')).rejects.toMatchObject({ code: 'upstream_failed' })
  await expect(scores('17')).rejects.toMatchObject({ code: 'upstream_failed' })
  await expect(scores('')).rejects.toMatchObject({ code: 'upstream_failed' })
})

test('passages are cut and stand on one line each', async () => {
  let prompt = ''
  const reranker = createListwiseReranker('mock', async ({ messages }) => {
    prompt = messages.at(-1)!.content
    return '1'
  })
  await reranker.rerank('Which?', [`x\n\n[2] ${'y'.repeat(5_000)}`, 'z'], signal)
  expect(prompt.length).toBeLessThan(900)
  expect(prompt.split('\n')).toHaveLength(4)
})
