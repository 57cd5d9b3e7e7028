import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, inject, test } from 'vitest'
import { openHangingDoor } from '../../lib/testkit/src/hanging-door.ts'
import { until } from '../../lib/testkit/src/until.ts'
import { startTestIngest } from './start-test-ingest.ts'

test('a dense index that answers no write holds up nobody for long, and it is said until the vectors have followed', {
  timeout: 90_000,
}, async () => {
  await using scope = new AsyncDisposableStack()
  const door = await openHangingDoor(inject('stores').chromaUrl, scope)
  const ingest = await startTestIngest(scope, { env: { CHROMA_URL: door.url } })
  const status = async () =>
    (await (await ingest.ask('/ingest')).json()) as { state: string; reasons: { reason: string; message: string }[] }
  const add = async (name: string) => {
    writeFileSync(join(ingest.folder, name), `The text of ${name}.`)
    return ingest.reaches(name, 'ready', 20_000)
  }
  await add('before.txt')
  await until('it is at rest', async () => ((await status()).reasons.length === 0 ? true : undefined))

  door.hang = (path) => path.endsWith('/add')
  await add('first.txt')
  const writes = () => door.seen.filter((line) => line.endsWith('/add')).length
  const asked = writes()
  await add('second.txt') // does not ask again so soon
  expect(await status()).toMatchObject({
    state: 'running',
    reasons: [{ reason: 'dense_behind', message: expect.stringContaining('words') }],
  })
  expect((await ingest.corpus.verify()).findings).toHaveLength(2)

  door.hang = () => false
  await until('the vectors have followed', async () => ((await status()).reasons.length === 0 ? true : undefined), 70_000)
  expect(writes()).toBeGreaterThan(asked)
  expect((await ingest.corpus.verify()).findings).toEqual([])
})
