import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { lstatSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, expect, test } from 'vitest'
import { until } from '../../lib/testkit/src/until.ts'
import { isRunning, type ProcessMark } from './stores/processes.ts'

const main = fileURLToPath(new URL('./main.ts', import.meta.url))
const place = mkdtempSync(join(tmpdir(), 'docent-main-'))
const [folder, dataDir] = [join(place, 'folder'), join(place, 'data')]
mkdirSync(folder)
for (const name of 'abcdefg') writeFileSync(join(folder, `${name}.txt`), `The spare key of ${name} hangs behind door 7.`)
const systemTemp = join(place, 'tmp')
mkdirSync(systemTemp)

afterAll(() => {
  const postgres = join(dataDir, 'postgres')
  if (lstatSync(postgres, { throwIfNoEntry: false })) rmSync(realpathSync(postgres), { recursive: true, force: true })
  rmSync(place, { recursive: true, force: true })
})

test('bad variables are told before anything is made; a second start names the first, and its second Ctrl-C leaves no process', async () => {
  const bad = await run({ LOG_LEVEL: 'x', CHUNK_SIZE: 'x', RERANK_API: 'x', EXTRACT_TIMEOUT_S: 'x' }).ended
  expect(bad).toMatchObject({
    code: 1,
    text: expect.stringMatching(/LOG_LEVEL:[\s\S]*CHUNK_SIZE:[\s\S]*RERANK_API:[\s\S]*EXTRACT_TIMEOUT_S:/),
  })
  expect(bad.text).not.toContain('at ')
  expect(readdirSync(place)).toEqual(['folder', 'tmp'])

  const first = run({ SETTLE_MS: '0' })
  const url = await until('it is ready', async () => /Docent is ready {2}(\S+)/.exec(first.text())?.[1], 60_000)
  expect(first.text()).toContain(`answers at ${url} already`)
  const stores = readdirSync(join(dataDir, 'run'))
    .filter((file) => file.endsWith('.json'))
    .map((file): ProcessMark => JSON.parse(readFileSync(join(dataDir, 'run', file), 'utf8')))
  expect(stores.filter(isRunning)).toHaveLength(4)
  expect(await run({}).ended).toMatchObject({
    code: 1,
    text: expect.stringContaining(`already runs on ${dataDir} as process ${first.child.pid} and answers at ${url}`),
  })

  for (const name of 'abcde') rmSync(join(folder, `${name}.txt`))
  const yes = await until('it says that a removal waits, and how to say yes', () => /yes, which is {2}(curl .*)/.exec(first.text())?.[1])
  expect(JSON.parse(execFileSync('sh', ['-c', `${yes} -s`], { encoding: 'utf8' }))).toEqual({ removed: 5 })
  await until('it says that none waits', () => first.text().includes('no removal waits any more') || undefined)

  first.child.kill('SIGINT')
  await until('it says that it stops', async () => first.text().includes('stopping …') || undefined)
  first.child.kill('SIGINT')
  // 0 when the stores had already ended by then
  expect([0, 130]).toContain((await first.ended).code)
  await until('no store is left', async () => !stores.some(isRunning) || undefined)
  // ended at once it tidied nothing up: what is left lies in the data folder, and goes at the next start
  expect(readdirSync(systemTemp)).toEqual([])
}, 120_000)

function run(env: Record<string, string>) {
  const child: ChildProcess = spawn(process.execPath, [main, folder, '--data', dataDir, '--port', '0'], {
    env: { PATH: process.env.PATH, HOME: process.env.HOME, TMPDIR: systemTemp, ...env },
  })
  let text = ''
  for (const stream of [child.stdout!, child.stderr!]) stream.on('data', (chunk: Buffer) => void (text += chunk.toString()))
  const ended = once(child, 'close').then(([code]) => ({ code: code as number, text }))
  return { child, ended, text: () => text }
}
