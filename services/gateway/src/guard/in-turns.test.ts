import { setImmediate as turn } from 'node:timers/promises'
import type { Request, Response } from 'express'
import { expect, test } from 'vitest'
import { inTurns } from './in-turns.ts'

test('of many requests that come at once so many are begun in a turn of the event loop, in their order, and none is lost', async () => {
  const begun: number[] = []
  const begin = inTurns(2)
  const come = (n: number) => void begin({} as Request, {} as Response, () => begun.push(n))
  for (const n of [1, 2, 3, 4, 5]) come(n)
  expect(begun).toEqual([1, 2])
  await turn()
  expect(begun).toEqual([1, 2, 3, 4])
  come(6)
  expect(begun).toEqual([1, 2, 3, 4])
  await turn()
  expect(begun).toEqual([1, 2, 3, 4, 5, 6])
  await turn()
  await turn()
  come(7)
  expect(begun.at(-1)).toBe(7)
})
