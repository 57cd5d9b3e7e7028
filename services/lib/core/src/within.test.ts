import { expect, test } from 'vitest'
import { Late, within } from './within.ts'

const forever = () => new Promise<never>(() => undefined)

test('work that is done in time gives its result, and its signal stays quiet', async () => {
  let given: AbortSignal | undefined
  const result = await within(60_000, new AbortController().signal, async (signal) => {
    given = signal
    return 7
  })
  expect(result).toBe(7)
  expect(given?.aborted).toBe(false)
})

test('work that does not heed its signal ends at the limit', async () => {
  let given: AbortSignal | undefined
  const late = within(5, undefined, (signal) => {
    given = signal
    return forever()
  })
  await expect(late).rejects.toThrow(Late)
  expect(given?.reason).toBeInstanceOf(Late)
})

test('a caller who leaves ends the work with his reason, also before it began', async () => {
  const caller = new AbortController()
  const left = within(60_000, caller.signal, forever)
  caller.abort(new Error('gone'))
  await expect(left).rejects.toThrow('gone')
  await expect(within(60_000, caller.signal, async () => 7)).rejects.toThrow('gone')
})

test('what the work throws is what is thrown', async () => {
  await expect(within(60_000, undefined, () => Promise.reject(new Error('refused')))).rejects.toThrow('refused')
})
