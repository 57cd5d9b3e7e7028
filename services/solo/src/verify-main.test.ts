import { execFile } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, inject, test } from 'vitest'
import { tempDatabase } from '../../lib/testkit/src/temp-database.ts'
import { rememberRun } from './last-run.ts'
import { openStores } from './stores.ts'

const main = fileURLToPath(new URL('./verify-main.ts', import.meta.url))

test('it finds what npm start keeps, running or stopped, and says so when nothing has run', async () => {
  await using scope = new AsyncDisposableStack()
  const dir = scope.adopt(mkdtempSync(join(tmpdir(), 'docent-verify-')), (path) => rmSync(path, { recursive: true, force: true }))
  const [dataDir, folder] = [join(dir, 'data'), join(dir, 'folder')]
  mkdirSync(folder)
  writeFileSync(join(folder, 'lost.txt'), 'nobody has seen it')
  const stores = inject('stores')
  const { corpusUrl } = await tempDatabase(stores.databaseUrl, scope)
  const env = { DATABASE_URL: corpusUrl, QUEUE_URL: stores.queueUrl, CACHE_URL: stores.cacheUrl, CHROMA_URL: stores.chromaUrl }
  const run = (extra: Record<string, string> = {}) =>
    new Promise<{ code: number; stdout: string; stderr: string }>((done) => {
      execFile(process.execPath, [main, '--data', dataDir], { env: { PATH: process.env.PATH, ...extra } }, (error, stdout, stderr) =>
        done({ code: typeof error?.code === 'number' ? error.code : 0, stdout, stderr }),
      )
    })
  expect(await run()).toMatchObject({ code: 2, stderr: expect.stringContaining('nothing has run') })

  const running = scope.use(new AsyncDisposableStack())
  const given = { databaseUrl: corpusUrl, queueUrl: stores.queueUrl, cacheUrl: stores.cacheUrl, chromaUrl: stores.chromaUrl }
  await openStores({ dataDir, scope: running, given, log: () => undefined })
  rememberRun(dataDir, { folder, maxFileMb: '', ...given })
  const found = { code: 1, stdout: expect.stringContaining('lost.txt: no document'), stderr: '' }
  expect(await run()).toMatchObject(found) // by the addresses of the run
  await running.disposeAsync()
  expect(await run(env)).toMatchObject(found) // by stores of its own, or by those that the environment names
  rmSync(join(folder, 'lost.txt'))
  expect(await run(env)).toMatchObject({ code: 0 })
})
