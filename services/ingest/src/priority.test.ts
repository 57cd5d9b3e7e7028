import { expect, test } from 'vitest'
import { priorityOf, urgencyOf } from './priority.ts'

test('what is asked for by hand goes first, then the new few, then the bulk, then what only changed its settings', () => {
  const order = (['now', 'new', 'bulk', 'again'] as const).map((urgency) => [priorityOf(urgency, 0), priorityOf(urgency, 1e12)])
  for (const [i, [, largest]] of order.slice(0, -1).entries()) expect(largest).toBeLessThan(order[i + 1]![0]!)
})

test('of the same urgency the smaller file goes first', () => {
  expect(priorityOf('bulk', 1_000)).toBeLessThan(priorityOf('bulk', 1_000_000))
  expect(priorityOf('bulk', 1_000_000)).toBeLessThan(priorityOf('bulk', 50_000_000))
  expect([urgencyOf(1), urgencyOf(21)]).toEqual(['new', 'bulk'])
})
