import { expect, test } from 'vitest'
import { watchMemory } from './watch-memory.ts'

const MB = 1024 * 1024

test('an index that may outgrow its limit is told once, and again only after it was clearly smaller', () => {
  const told: object[] = []
  let anonymous = 0
  const look = watchMemory({ memoryShort: (what) => told.push(what) }, () => ({
    anonymous: anonymous * MB,
    heap: 40 * MB,
    heapLimit: 100 * MB,
    limit: 224 * MB,
  }))
  for (const [now, times] of [
    [160, 0], // and 60 that the heap may grow by
    [165, 1],
    [180, 1],
    [163, 1],
    [166, 1],
    [150, 1],
    [170, 2],
  ] as const) {
    anonymous = now
    look(50_000)
    expect(told, `${now} MB`).toHaveLength(times)
  }
  expect(told[0]).toEqual({ chunks: 50_000, neededMb: 225, limitMb: 224 })
})

test('where no limit holds nothing is told', () => {
  const look = watchMemory({ memoryShort: () => expect.unreachable() }, () => undefined)
  expect(() => look(1)).not.toThrow()
})
