import { expect, test } from 'vitest'
import { createOpening } from './opening.ts'

function said(text: string, cut: number): string {
  const opening = createOpening()
  let out = ''
  for (let i = 0; i < text.length; i += cut) out += opening.push(text.slice(i, i + cut))
  return out + opening.end()
}

test.for([
  ['The answer <think> is part of it', 'The answer <think> is part of it'],
  ['<think>\nsecret [2]\n</think>\n\nThe answer', 'The answer'],
  ['\n <THINK>a</Think><think></think> 24 个月', '24 个月'],
  ['<thinking>a</think>b</thinking>c', 'c'],
  ['<reasoning>never closed </reason', ''],
  ['<table> <b>bold</b>', '<table> <b>bold</b>'],
  ['<th', '<th'],
  ['<', '<'],
  [' \n\t', ''],
  ['\n\nfirst\n\n second \n', 'first\n\n second \n'],
] as const)('of %j the answer is %j, wherever it is cut', ([text, expected]) => {
  for (const cut of [1, 2, 3, 7, text.length]) expect(said(text, cut)).toBe(expected)
})
