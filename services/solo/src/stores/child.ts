import { type ChildProcess, spawn } from 'node:child_process'
import { closeSync, existsSync, openSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { freePort } from '@docent/kit/free-port'
import { forgetChild, recordChild } from './data-dir.ts'
import { endProcess, markProcess, type ProcessMark } from './processes.ts'

export type StoreContext = { dataDir: string; log: (line: string) => void; scope: AsyncDisposableStack }

export type ChildPlan = {
  name: string
  command: string
  args: (port: number) => string[]
  /** Resolves when the server answers; is called again and again until then. */
  probe: (port: number) => Promise<unknown>
  stopSignal: NodeJS.Signals
  cwd?: string
  env?: Record<string, string>
  user?: { uid: number; gid: number } | undefined
  /** Puts what the server may be unable to read out of its way, when it ended by itself again and again; false: nothing was there. */
  putAside?: () => boolean
}

const readyMs = 60_000
const stopMs = 15_000
// a server that ends sooner has not got over its start
const soonMs = 10_000
const maxTries = 3

/** Starts a server on a free loopback port, keeps it running, and ends it with the scope. Returns the port. */
export async function startChild(plan: ChildPlan, { dataDir, log, scope }: StoreContext): Promise<number> {
  const logFile = join(dataDir, 'logs', `${plan.name}.log`)
  let port = 0
  let running: { child: ChildProcess; mark: ProcessMark } | undefined
  let isStopping = false
  let soonEnded = 0

  function launch(): ChildProcess {
    // A file and not a pipe: a server that outlives a killed parent must not choke on its own log.
    const output = openSync(logFile, 'w', 0o600)
    const [command, args] = dyingWithParent(plan, port)
    // Its own session: Ctrl-C in the terminal reaches us alone, and we end the stores last.
    const child = spawn(command, args, {
      detached: true,
      stdio: ['ignore', output, output],
      cwd: plan.cwd,
      env: { ...process.env, ...plan.env },
      ...plan.user,
    })
    closeSync(output)
    child.on('error', (error) => log(`${plan.name} cannot be started: ${error.message}`))
    const mark = child.pid ? markProcess(child.pid) : undefined
    running = mark && { child, mark }
    if (mark) recordChild(dataDir, plan.name, mark, plan.stopSignal)
    return child
  }

  function keepRunning(child: ChildProcess): void {
    const began = performance.now()
    child.once('exit', async (code, signal) => {
      if (isStopping) return
      log(`${plan.name} ended unexpectedly (${signal ?? code}); starting it again`)
      soonEnded = performance.now() - began < soonMs ? soonEnded + 1 : 0
      if (soonEnded === maxTries) plan.putAside?.()
      await sleep(1_000)
      if (!isStopping) keepRunning(launch())
    })
  }

  scope.defer(async () => {
    isStopping = true
    if (running) await endProcess(running.mark, plan.stopSignal, stopMs)
    forgetChild(dataDir, plan.name)
  })

  for (let tries = 1; ; tries++) {
    // Another program may take the port between the look and the start, hence more than one try.
    port = await freePort()
    const child = launch()
    if (await isReady(child, () => plan.probe(port))) {
      keepRunning(child)
      return port
    }
    const hasEnded = child.exitCode !== null || child.signalCode !== null
    if (running) await endProcess(running.mark, plan.stopSignal, stopMs)
    const isSpent = tries === 2 * maxTries || (tries === maxTries && !(hasEnded && plan.putAside?.()))
    if (isSpent) throw new Error(`${plan.name} does not start. Its log (${logFile}) ends with:\n${tail(logFile)}`)
  }
}

async function isReady(child: ChildProcess, probe: () => Promise<unknown>): Promise<boolean> {
  const deadline = performance.now() + readyMs
  while (child.pid && child.exitCode === null && child.signalCode === null && performance.now() < deadline) {
    try {
      await probe()
      return child.exitCode === null
    } catch {
      // Not yet: refused or still starting. The deadline and the exit code end this loop.
      await sleep(25)
    }
  }
  return false
}

/** Where util-linux's setpriv exists, the kernel ends the server when its parent is killed; elsewhere the next start does. */
function dyingWithParent(plan: ChildPlan, port: number): [string, string[]] {
  const setpriv = '/usr/bin/setpriv'
  if (!existsSync(setpriv)) return [plan.command, plan.args(port)]
  return [setpriv, ['--pdeathsig', plan.stopSignal.slice(3), plan.command, ...plan.args(port)]]
}

function tail(path: string): string {
  return readFileSync(path, 'utf8').trim().split('\n').slice(-12).join('\n')
}
