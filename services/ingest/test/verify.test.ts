import { execFile } from 'node:child_process'
import { renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, inject, test } from 'vitest'
import { startTestIngest } from './start-test-ingest.ts'

const main = fileURLToPath(new URL('../src/verify-main.ts', import.meta.url))

function run(env: Record<string, string>, ...args: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  return new Promise((done) => {
    execFile(process.execPath, [main, ...args], { env: { PATH: process.env.PATH, ...env } }, (error, stdout, stderr) =>
      done({ code: typeof error?.code === 'number' ? error.code : 0, stdout, stderr }),
    )
  })
}

test('the program says what folder, ledger and index disagree on, by its exit code and in words', async () => {
  await using scope = new AsyncDisposableStack()
  const ingest = await startTestIngest(scope)
  const put = (path: string, text: string) => writeFileSync(join(ingest.folder, path), text)
  put('kept.txt', 'Kept as it is.')
  put('edited.txt', 'Before.')
  put('moved.txt', 'Moved away.')
  put('table.xyz', 'of no known format')
  put('cafe\u0301.txt', 'The same name in another Unicode form.')
  put('caf\u00e9.txt', 'Read.')
  for (const path of ['kept.txt', 'edited.txt', 'moved.txt', 'caf\u00e9.txt']) await ingest.reaches(path, 'ready')
  for (const path of ['table.xyz', 'cafe\u0301.txt']) await ingest.reaches(path, 'skipped')
  const env = { DATABASE_URL: ingest.databaseUrl, CHROMA_URL: inject('stores').chromaUrl, DOCENT_FOLDER: ingest.folder }
  const clean = await run(env, '--wait', '10')
  expect(clean).toMatchObject({ code: 0, stderr: '' })
  expect(clean.stdout).toContain('6 files, 6 documents, 4 chunks, 4 entries of the dense index')

  await ingest.stop()
  put('edited.txt', 'After.')
  renameSync(join(ingest.folder, 'moved.txt'), join(ingest.folder, 'mo\u202eved.txt'))
  const found = await run(env)
  expect(found.code).toBe(1)
  expect(found.stdout).toMatch(/ 1 {2}files without a document\n +mo\\u\{202e\}ved.txt: no document/)
  expect(found.stdout).toMatch(/ 1 {2}files whose newer content is not followed\n +edited.txt/)
  expect(found.stdout).toMatch(/ 1 {2}documents whose file is gone\n +moved.txt/)
  expect(found.stdout).toContain('3 findings')

  expect(await run({ ...env, DOCENT_FOLDER: '/nowhere' })).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('/nowhere is not a folder'),
  })
  const { code, stderr } = await run({ CHROMA_URL: env.CHROMA_URL })
  expect({ code, stderr }).toEqual({ code: 2, stderr: expect.stringContaining('DATABASE_URL') })
})
