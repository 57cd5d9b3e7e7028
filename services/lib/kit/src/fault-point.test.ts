import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'

const file = fileURLToPath(new URL('./fault-point.ts', import.meta.url))
const script = `import { faultPoint } from ${JSON.stringify(file)}; faultPoint('K1'); console.log('between'); faultPoint('K2'); console.log('after')`

function run(env: Record<string, string>) {
  const { status, signal, stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', script], {
    env: { PATH: process.env.PATH, ...env },
    encoding: 'utf8',
  })
  return { status, signal, stdout, refusal: /^Error: (.*)/m.exec(stderr)?.[1] }
}

test('a process dies at the line that is named, and nowhere else', () => {
  expect(run({ FAULT_POINT: 'K2' })).toMatchObject({ signal: 'SIGKILL', stdout: 'between\n' })
  expect(run({ FAULT_POINT: 'K2:TERM' })).toMatchObject({ signal: 'SIGTERM', stdout: 'between\n' })
  expect(run({ FAULT_POINT: 'K9' })).toMatchObject({ status: 0, stdout: 'between\nafter\n' })
  expect(run({})).toMatchObject({ status: 0, stdout: 'between\nafter\n' })
})

test('in production, and with a signal it does not know, it is refused at start', () => {
  expect(run({ FAULT_POINT: 'K2', NODE_ENV: 'production' })).toMatchObject({
    status: 1,
    stdout: '',
    refusal: expect.stringContaining('tests only'),
  })
  expect(run({ FAULT_POINT: 'K2:HUP' })).toMatchObject({ status: 1, stdout: '', refusal: expect.stringContaining('KILL, STOP, TERM') })
  expect(run({ NODE_ENV: 'production' })).toMatchObject({ status: 0 })
})
