import { randomBytes } from 'node:crypto'
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { constants } from 'node:os'
import { relative } from 'node:path'
import { ConfigError } from '@docent/kit/config'
import { runMain } from '@docent/kit/run-main'
import { requireDataOutside } from './data-outside.ts'
import { requireFreeDoor } from './free-door.ts'
import { createRemovalTeller } from './held-removal.ts'
import { readLastRun, rememberRun } from './last-run.ts'
import { tellLaterWork } from './later-work.ts'
import { readOptions, type SoloOptions } from './options.ts'
import { followIndexing } from './progress.ts'
import { checkConfig } from './service-env.ts'
import { startSolo } from './solo.ts'
import { alreadyRuns, killStores, ownerOf } from './stores/data-dir.ts'
import { openStores } from './stores.ts'
import { tellable } from './tell.ts'
import { useTempDir } from './temp-dir.ts'

const say = (line: string) => console.log(`  ${line}`)
let dataDir: string | undefined
let hasLock = false

await runMain(async (scope, stop) => {
  stop.addEventListener('abort', () => {
    say('stopping … (Ctrl-C again ends it at once)')
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, endAtOnce)
  })
  try {
    const options = readOptions(process.argv.slice(2), process.env, process.env.INIT_CWD ?? process.cwd())
    dataDir = options.dataDir
    await requireStartable(options)
    await start(options, scope, stop)
  } catch (error) {
    throw tellable(error, dataDir && existsSync(dataDir) ? `${dataDir}/docent.log` : undefined)
  }
})
// All that was opened is closed by now; what still keeps the loop alive are idle timers of clients, for seconds.
process.exit()

/** What can be known before anything is started: the variables, the folder, another run, the port. */
async function requireStartable({ folder, dataDir, host, port }: SoloOptions): Promise<void> {
  checkConfig({ folder, host, port, env: process.env })
  if (!existsSync(folder) || !statSync(folder).isDirectory()) {
    throw new ConfigError(`FOLDER: ${folder} is not a folder; make it, or name another: npm start -- FOLDER`)
  }
  requireDataOutside(folder, dataDir)
  const owner = ownerOf(dataDir)
  const last = owner && readLastRun(dataDir)
  if (owner) throw alreadyRuns(dataDir, owner, last?.pid === owner.pid ? last.url : undefined)
  await requireFreeDoor(host, port)
}

async function start({ folder, dataDir, host, port }: SoloOptions, scope: AsyncDisposableStack, stop: AbortSignal): Promise<void> {
  const onLock = () => {
    hasLock = true
    useTempDir(dataDir)
  }
  const removals = createRemovalTeller(say)
  const stores = await openStores({ dataDir, log: say, scope, onLock })
  if (stop.aborted) return
  say('starting the services')
  const adminKey = readAdminKey(`${dataDir}/admin-key`)
  const logFile = `${dataDir}/docent.log`
  const { onPause } = removals
  const snapshotFile = `${dataDir}/words.snapshot`
  const solo = await startSolo({ folder, host, port, adminKey, stores, logFile, snapshotFile, env: process.env, onPause }, scope)
  rememberRun(dataDir, { folder, maxFileMb: process.env.MAX_FILE_MB ?? '', url: solo.url, ...stores })
  if (stop.aborted) return
  say(`answers at ${solo.url} already; indexing goes on`)
  const { ready, failed, waiting } = await followIndexing(solo, say, stop, process.stdout.isTTY ? process.stdout : undefined)
  if (stop.aborted) return
  const data = relative(process.cwd(), dataDir) || dataDir
  console.log(
    `\nDocent is ready  ${solo.url}   ${ready} documents, ${failed} failed${waiting > 0 ? `, ${waiting} waiting` : ''}   (Ctrl-C stops, data in ${data}/)`,
  )
  console.log(`  admin key: ${data}/admin-key   log: ${data}/docent.log   API: ${solo.url}/docs`)
  removals.open({ url: solo.url, keyFile: `${data}/admin-key` })
  if (!process.stdout.isTTY) {
    const telling = tellLaterWork(solo, say, stop)
    scope.defer(() => telling)
  }
}

/** The second wish to stop. Parsers of documents end by themselves when we are gone; stores would finish their work first. */
function endAtOnce(signal: NodeJS.Signals): void {
  say('ended at once')
  if (dataDir && hasLock) killStores(dataDir) // without the lock they would be another run's
  process.exit(128 + constants.signals[signal])
}

/** Made once, readable by its owner only. */
function readAdminKey(path: string): string {
  if (!existsSync(path)) writeFileSync(path, `${randomBytes(24).toString('base64url')}\n`, { mode: 0o600, flag: 'wx' })
  return readFileSync(path, 'utf8').trim()
}
