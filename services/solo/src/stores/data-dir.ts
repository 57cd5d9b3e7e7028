import { randomBytes } from 'node:crypto'
import { existsSync, linkSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { ConfigError } from '@docent/kit/config'
import { endProcess, isRunning, markProcess, type ProcessMark, sendSignal } from './processes.ts'

type Leftover = ProcessMark & { stopSignal: NodeJS.Signals }

/** Makes the folders every store needs; 0711 above them, so that Postgres' own user may pass through but not look. */
export function makeDataDir(dataDir: string): void {
  mkdirSync(dataDir, { recursive: true, mode: 0o711 })
  for (const folder of ['run', 'secrets', 'logs']) mkdirSync(join(dataDir, folder), { recursive: true, mode: 0o700 })
}

/** Takes the data folder for this process. Throws, naming the owner, when another living process has it. */
export function lockDataDir(dataDir: string): Disposable {
  const lock = join(dataDir, 'run', 'lock')
  const mine = `${lock}.${process.pid}`
  writeFileSync(mine, JSON.stringify(markProcess(process.pid)))
  try {
    for (let tries = 0; ; tries++) {
      try {
        // A hard link appears whole or not at all: nobody reads a half-written lock.
        linkSync(mine, lock)
        break
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EEXIST' || tries > 3) throw error
        const owner: ProcessMark | undefined = readMark(lock)
        if (owner && isRunning(owner)) {
          throw alreadyRuns(dataDir, owner)
        }
        rmSync(lock, { force: true })
      }
    }
  } finally {
    rmSync(mine, { force: true })
  }
  return { [Symbol.dispose]: () => rmSync(lock, { force: true }) }
}

export function alreadyRuns(dataDir: string, owner: ProcessMark, url?: string): ConfigError {
  const where = url ? ` and answers at ${url}` : ''
  return new ConfigError(
    `Docent already runs on ${dataDir} as process ${owner.pid}${where}. Stop that one first, or choose another folder with --data.`,
  )
}

/** Ends every recorded store at once, without a chance to say goodbye; each of them recovers at its next start. */
export function killStores(dataDir: string): void {
  const run = join(dataDir, 'run')
  if (!existsSync(run)) return
  for (const file of readdirSync(run).filter((name) => name.endsWith('.json'))) {
    const mark = readMark(join(run, file))
    if (mark) sendSignal(mark, 'SIGKILL')
  }
}

/** The living process that has the data folder, if there is one. */
export function ownerOf(dataDir: string): ProcessMark | undefined {
  const owner = readMark(join(dataDir, 'run', 'lock'))
  return owner && isRunning(owner) ? owner : undefined
}

/** A password made once and kept, readable by the owner only. */
export function keepSecret(dataDir: string, name: string): string {
  const path = join(dataDir, 'secrets', name)
  if (!existsSync(path)) writeFileSync(path, `${randomBytes(24).toString('hex')}\n`, { mode: 0o600, flag: 'wx' })
  return readFileSync(path, 'utf8').trim()
}

export function recordChild(dataDir: string, name: string, child: ProcessMark, stopSignal: NodeJS.Signals): void {
  writeFileSync(join(dataDir, 'run', `${name}.json`), JSON.stringify({ ...child, stopSignal } satisfies Leftover))
}

export function forgetChild(dataDir: string, name: string): void {
  rmSync(join(dataDir, 'run', `${name}.json`), { force: true })
}

/** Ends the stores of an earlier run whose parent was killed before it could. */
export async function endLeftovers(dataDir: string, log: (line: string) => void): Promise<void> {
  const run = join(dataDir, 'run')
  const records = readdirSync(run).filter((file) => file.endsWith('.json'))
  await Promise.all(
    records.map(async (file) => {
      const leftover = readMark(join(run, file)) as Leftover | undefined
      if (leftover && isRunning(leftover)) {
        log(`stopping ${file.slice(0, -5)} (process ${leftover.pid}) of an earlier run`)
        await endProcess(leftover, leftover.stopSignal, 15_000)
      }
      rmSync(join(run, file), { force: true })
    }),
  )
}

/** A record cut short by a power cut or removed meanwhile names nobody. */
function readMark(path: string): ProcessMark | undefined {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as ProcessMark
  } catch (error) {
    if (error instanceof SyntaxError || (error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}
