// `npm test -- [FILE…]`: types, lint, tests; the last line says how many passed and failed.
import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { ensureToolchain, requireLinuxX64, run, say } from '../../../solo/bin/bootstrap.mjs'

requireLinuxX64()
await ensureToolchain()
installPrograms({ nginx: 'nginx', promtool: 'prometheus', chromium: 'chromium' })

const bin = (name) => [`node_modules/${name}`]
const total = { passed: 0, failed: 0 }
await step('types', bin('typescript/bin/tsc'), ['--noEmit'])
await step('lint', bin('@biomejs/biome/bin/biome'), ['check', '.'])
await tests(process.argv.slice(2))
console.log(`${total.passed} passed, ${total.failed} failed`)
process.exit(total.failed ? 1 : 0)

async function step(name, program, args) {
  const { code, stoppedBy } = await run([...program, ...args])
  if (stoppedBy) process.exit(130)
  if (code === 0) total.passed++
  else {
    total.failed++
    say(`${name} failed`)
  }
}

async function tests(args) {
  const folder = mkdtempSync(join(tmpdir(), 'docent-report-'))
  const report = join(folder, 'vitest.json')
  try {
    const flags = ['run', '--reporter=default', '--reporter=json', `--outputFile.json=${report}`]
    const { code, stoppedBy } = await run([...bin('vitest/vitest.mjs'), ...flags, ...args])
    if (stoppedBy) process.exit(130)
    const { passed, failed, notRun } = count(report)
    for (const [reason, tests] of notRun) console.log(`not run: ${tests} tests: ${reason}`)
    total.passed += passed
    // An error outside of any test fails the run without failing a test.
    total.failed += failed || (code === 0 ? 0 : 1)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

function count(report) {
  if (!existsSync(report)) return { passed: 0, failed: 0, notRun: [] }
  const { numPassedTests, numFailedTests, testResults } = JSON.parse(readFileSync(report, 'utf8'))
  // A file that cannot be loaded has no tests to count.
  const broken = testResults.filter((file) => file.status === 'failed' && !file.assertionResults.some((test) => test.status === 'failed'))
  // a test that could not run says why in the name of its group; it counts neither as passed nor as failed
  const pending = testResults.flatMap((file) =>
    file.assertionResults.filter((test) => test.status === 'pending' || test.status === 'skipped'),
  )
  const notRun = new Map()
  for (const { ancestorTitles, title } of pending) notRun.set(ancestorTitles[0] ?? title, (notRun.get(ancestorTitles[0] ?? title) ?? 0) + 1)
  return { passed: numPassedTests, failed: numFailedTests + broken.length, notRun: [...notRun] }
}

/** Programs that some tests need; as root on Debian and Ubuntu they are installed, elsewhere they are named. */
function installPrograms(wanted) {
  const folders = [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin', '/usr/bin', '/usr/local/bin', '/usr/local/sbin']
  const isMissing = ([program]) => !folders.some((folder) => existsSync(join(folder, program)))
  const missing = Object.entries(wanted).filter(isMissing)
  if (missing.length && process.getuid() === 0 && existsSync('/usr/bin/apt-get')) {
    const names = missing.map(([, name]) => name)
    say(`installing ${names.join(' and ')} (once)`)
    withoutStartingServices(() => {
      if (!apt(['install', ...names])) apt(['update']) && apt(['install', ...names])
    })
  }
  const still = missing.filter(isMissing).map(([, name]) => name)
  if (still.length)
    say(`${still.join(' and ')} missing: the tests that need them cannot run. On Debian or Ubuntu: apt-get install ${still.join(' ')}`)
}

function apt(args) {
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
  return spawnSync('apt-get', ['-qq', '-y', '--no-install-recommends', ...args], { stdio: 'ignore', env }).status === 0
}

/** Debian starts a service as it installs it; this is its own switch against that. Tests need programs, not a server on port 80. */
function withoutStartingServices(action) {
  const policy = '/usr/sbin/policy-rc.d'
  if (existsSync(policy)) return action()
  writeFileSync(policy, '#!/bin/sh\nexit 101\n', { mode: 0o755 })
  try {
    action()
  } finally {
    rmSync(policy, { force: true })
  }
}
