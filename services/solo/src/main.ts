import { randomBytes } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { relative } from 'node:path'
import { ConfigError } from '@docent/kit/config'
import { runMain } from '@docent/kit/run-main'
import { rememberRun } from './last-run.ts'
import { readOptions } from './options.ts'
import { followIndexing } from './progress.ts'
import { startSolo } from './solo.ts'
import { openStores } from './stores.ts'

await runMain(async (scope, stop) => {
  const options = readOptions(process.argv.slice(2), process.env, process.env.INIT_CWD ?? process.cwd())
  if (!existsSync(options.folder) || !statSync(options.folder).isDirectory()) {
    throw new ConfigError(`FOLDER: ${options.folder} is not a folder; make it, or name another: npm start -- FOLDER`)
  }
  mkdirSync(options.dataDir, { recursive: true, mode: 0o700 })
  const say = (line: string) => console.log(`  ${line}`)
  const stores = await openStores({ dataDir: options.dataDir, log: say, scope })
  say('starting the services')
  const solo = await startSolo(
    {
      folder: options.folder,
      host: options.host,
      port: options.port,
      adminKey: readAdminKey(`${options.dataDir}/admin-key`),
      stores,
      logFile: `${options.dataDir}/docent.log`,
      env: process.env,
    },
    scope,
  )
  rememberRun(options.dataDir, { folder: options.folder, maxFileMb: process.env.MAX_FILE_MB ?? '', ...stores })
  const { ready, failed, waiting } = await followIndexing(solo, say, stop, process.stdout.isTTY ? process.stdout : undefined)
  if (stop.aborted) return
  const data = relative(process.cwd(), options.dataDir) || options.dataDir
  console.log(
    `\nDocent is ready  ${solo.url}   ${ready} documents, ${failed} failed${waiting > 0 ? `, ${waiting} waiting` : ''}   (Ctrl-C stops, data in ${data}/)`,
  )
  console.log(`  admin key: ${data}/admin-key   log: ${data}/docent.log   API: ${solo.url}/docs`)
})

/** Made once, readable by its owner only. */
function readAdminKey(path: string): string {
  if (!existsSync(path)) writeFileSync(path, `${randomBytes(24).toString('base64url')}\n`, { mode: 0o600, flag: 'wx' })
  return readFileSync(path, 'utf8').trim()
}
