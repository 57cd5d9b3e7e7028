import { afterEach, expect, test, vi } from 'vitest'
import { createFresh } from './fresh.ts'

afterEach(() => vi.useRealTimers())

test('callers at the same time share a read; what is in use is read again before it is too old', async () => {
  vi.useFakeTimers()
  let reads = 0
  const fresh = createFresh(async () => ++reads, 1_000)
  expect(await Promise.all([fresh.get(), fresh.get()])).toEqual([1, 1])
  vi.advanceTimersByTime(499)
  expect(await fresh.get()).toBe(1)
  vi.advanceTimersByTime(1)
  // half its time has passed: this one is given what there is, the next one what was read meanwhile
  expect([await fresh.get(), await fresh.get()]).toEqual([1, 2])
  vi.advanceTimersByTime(1_000)
  expect([await fresh.get(), reads]).toEqual([3, 3])
})

test('what was read before a write is not kept, and a failure is told to who waits', async () => {
  vi.useFakeTimers()
  const given = [Promise.withResolvers<string>(), Promise.withResolvers<string>(), Promise.withResolvers<string>()]
  let reads = 0
  const fresh = createFresh(() => given[reads++]!.promise, 1_000)
  const before = fresh.get()
  fresh.forget()
  const after = fresh.get()
  given[1]!.resolve('new')
  expect(await after).toBe('new')
  given[0]!.resolve('old')
  expect([await before, await fresh.get()]).toEqual(['old', 'new'])
  vi.advanceTimersByTime(1_000)
  given[2]!.reject(new Error('down'))
  await expect(fresh.get()).rejects.toThrow('down')
})
