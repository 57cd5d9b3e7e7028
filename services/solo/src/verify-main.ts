import { resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { envSchema } from '@docent/ingest/config'
import { readWait, runVerify, verifyProcess } from '@docent/ingest/verify/run-verify'
import { ConfigError } from '@docent/kit/config'
import { readLastRun } from './last-run.ts'
import { readOptions } from './options.ts'
import { ownerOf } from './stores/data-dir.ts'
import { givenStores, openStores } from './stores.ts'

// `npm run verify -- [FOLDER] [--data DIR] [--wait S]`: the oracle over what `npm start` keeps, whether it runs or not
await verifyProcess(async () => {
  await using scope = new AsyncDisposableStack()
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { data: { type: 'string' }, wait: { type: 'string', default: '0' } },
  })
  const { dataDir } = readOptions(
    [...positionals, ...(values.data ? ['--data', values.data] : [])],
    process.env,
    process.env.INIT_CWD ?? process.cwd(),
  )
  const last = readLastRun(dataDir)
  if (!last) {
    throw new ConfigError(
      `nothing has run on ${dataDir} yet; name the folder that npm start was given: npm run verify -- FOLDER (or --data DIR)`,
    )
  }
  const stores = await findStores(dataDir, last, scope)
  console.log(`  folder ${resolve(last.folder)}`)
  return await runVerify(
    {
      ...stores,
      folder: last.folder,
      maxFileBytes: envSchema.shape.MAX_FILE_MB.parse(last.maxFileMb || undefined) * 1024 * 1024,
      waitMs: readWait(values.wait),
    },
    console.log,
  )
})

/** Those of the run that has the data folder; without one they are started for the check and ended after it. */
async function findStores(dataDir: string, last: NonNullable<ReturnType<typeof readLastRun>>, scope: AsyncDisposableStack) {
  const owner = ownerOf(dataDir)
  if (owner && owner.pid !== last.pid)
    throw new ConfigError(`Docent (process ${owner.pid}) is starting or being checked; try again in a moment`)
  if (owner) return last
  return openStores({ dataDir, scope, given: givenStores(process.env), log: (line) => console.log(`  ${line}`) })
}
