import { expect, test } from 'vitest'
import { NEEDED_MS, runChecks } from './health.ts'

const fine = async () => undefined
const hangs = () => new Promise<undefined>(() => undefined)

test('a neighbour whose aside is frozen is ready: its answer comes before who asks it gives up', async () => {
  const neighbour = () => runChecks({ postgres: fine, chroma: hangs }, { needed: ['postgres'] })
  const { checks } = await runChecks({ retrieval: async () => (await neighbour()).checks.chroma?.detail }, { needed: ['retrieval'] })
  expect(checks.retrieval).toMatchObject({ ok: true, detail: 'no answer in 1500 ms' })

  // nor is one that is not needed itself said to be gone by who waits long enough
  const outermost = { needed: [], asideMs: NEEDED_MS }
  const { checks: all } = await runChecks({ ingest: async () => (await neighbour()).status }, outermost)
  expect(all.ingest).toMatchObject({ ok: true, detail: 'unavailable' })
})

test('a needed canary that hangs is reported, and so is one that throws', async () => {
  const fails = async () => Promise.reject(new Error('refused'))
  const { status, checks } = await runChecks({ postgres: hangs, queue: fails, folder: async () => '3 files' })
  expect(status).toBe('unavailable')
  expect(checks).toMatchObject({
    postgres: { ok: false, detail: 'no answer in 3000 ms' },
    queue: { ok: false, detail: 'refused' },
    folder: { ok: true, detail: '3 files' },
  })
})
