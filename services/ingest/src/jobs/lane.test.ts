import { setImmediate as turn } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { createLane } from './lane.ts'

const calm = new AbortController().signal

test('several go in together; one who wants to be alone waits for them, and later ones wait for him', async () => {
  const lane = createLane()
  const order: string[] = []
  const first = await lane.enter(false, calm)
  const second = await lane.enter(false, calm)
  const alone = lane.enter(true, calm).then((left) => {
    order.push('alone')
    return left
  })
  const later = lane.enter(false, calm).then((left) => {
    order.push('later')
    return left
  })
  first[Symbol.dispose]()
  await turn()
  expect(order).toEqual([])
  second[Symbol.dispose]()
  const inside = await alone
  await turn()
  expect(order).toEqual(['alone'])
  inside[Symbol.dispose]()
  const last = await later
  expect(order).toEqual(['alone', 'later'])
  last[Symbol.dispose]()
})

test('one who gives up waiting holds nobody back', async () => {
  const lane = createLane()
  const inside = await lane.enter(false, calm)
  const stop = new AbortController()
  const alone = lane.enter(true, stop.signal)
  const later = lane.enter(false, calm)
  stop.abort(new Error('stopping'))
  await expect(alone).rejects.toThrow('stopping')
  const second = await later
  second[Symbol.dispose]()
  inside[Symbol.dispose]()
  await expect(lane.enter(true, calm)).resolves.toBeDefined()
})
