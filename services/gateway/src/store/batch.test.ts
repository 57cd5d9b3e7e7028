import { expect, test } from 'vitest'
import { createBatch } from './batch.ts'

test('alone nothing waits; what comes while a write is under way leaves together, each with its own result', async () => {
  const written: number[][] = []
  const gates: (() => void)[] = []
  const double = createBatch(async (items: readonly number[]) => {
    written.push([...items])
    await new Promise<void>((open) => gates.push(open))
    return items.map((item) => item * 2)
  }, 2)
  const all = [1, 2, 3, 4].map((item) => double(item))
  expect(written).toEqual([[1]])
  for (let i = 0; i < 3; i++) {
    gates[i]!()
    await Promise.allSettled([all[[0, 2, 3][i]!]])
  }
  expect(written).toEqual([[1], [2, 3], [4]])
  expect(await Promise.all(all)).toEqual([2, 4, 6, 8])
})

test('an item that cannot be written fails by itself', async () => {
  const tries: string[] = []
  const write = createBatch(async (items: readonly string[]) => {
    tries.push(items.join('+'))
    if (items.includes('bad')) throw new Error('a value that is refused')
    return items.map((item) => item.toUpperCase())
  })
  const ends = await Promise.allSettled(['first', 'a', 'bad', 'b'].map((item) => write(item)))
  expect(tries).toEqual(['first', 'a+bad+b', 'a', 'bad', 'b'])
  expect(ends.map((end) => (end.status === 'fulfilled' ? end.value : 'refused'))).toEqual(['FIRST', 'A', 'refused', 'B'])
})

test('behind a write that hung nobody waits as long again; the next one is tried', async () => {
  let isHung = true
  const write = createBatch(async (items: readonly number[]) => {
    if (isHung) throw new Error('Query read timeout')
    return items
  })
  const ends = await Promise.allSettled([write(1), write(2), write(3)])
  expect(ends).toMatchObject([1, 2, 3].map(() => ({ status: 'rejected', reason: { code: 'unavailable' } })))
  isHung = false
  expect(await write(4)).toBe(4)
})
