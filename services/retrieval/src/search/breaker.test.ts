import { expect, test, vi } from 'vitest'
import { createBreaker } from './breaker.ts'

const never = new AbortController().signal

test('a failure opens it, further calls fail at once, a probe closes it', async () => {
  let down = true
  const onOpen = vi.fn()
  const closed = Promise.withResolvers<void>()
  const work = vi.fn(async () => {
    if (down) throw new Error('down')
    return 'fine'
  })
  using breaker = createBreaker({ limitMs: 1_000, firstRetryMs: 5, probe: work, onOpen, onClose: closed.resolve })
  await expect(breaker.run(work, never)).rejects.toThrow('down')
  await expect(breaker.run(work, never)).rejects.toThrow('left out')
  expect(onOpen).toHaveBeenCalledTimes(1)
  down = false
  await closed.promise
  expect(breaker.open).toBe(false)
  expect(await breaker.run(work, never)).toBe('fine')
})

test('work that does not heed its signal ends at the limit', async () => {
  using breaker = createBreaker({ limitMs: 20, probe: () => Promise.resolve(), onOpen: () => undefined, onClose: () => undefined })
  await expect(breaker.run(() => new Promise(() => undefined), never)).rejects.toThrow('no answer in 20 ms')
  expect(breaker.open).toBe(true)
})

test('a caller who leaves is no failure of the dependency', async () => {
  using breaker = createBreaker({ limitMs: 1_000, probe: () => Promise.resolve(), onOpen: () => undefined, onClose: () => undefined })
  const left = new AbortController()
  const running = breaker.run(() => new Promise(() => undefined), left.signal)
  left.abort(new Error('gone'))
  await expect(running).rejects.toThrow('gone')
  expect(breaker.open).toBe(false)
})
