// `npm start -- [FOLDER] [--port N] [--data DIR] [--host H]`
import { ensureToolchain, requireLinuxX64, requireStoreTools, run, tellFailures } from './bootstrap.mjs'
import { usage } from './usage.mjs'

if (process.argv.slice(2).some((arg) => arg === '--help' || arg === '-h')) {
  process.stdout.write(usage)
  process.exit(0)
}
tellFailures()
requireLinuxX64()
requireStoreTools()
await ensureToolchain()
// Relative paths mean the folder in which the user typed the command; npm itself changes to the package's.
const env = { INIT_CWD: process.env.INIT_CWD ?? process.cwd() }
const { code, stoppedBy } = await run(['services/solo/src/main.ts', ...process.argv.slice(2)], { env })
// Asked to stop and stopped: success, or npm would print a page of errors after every Ctrl-C.
const stopCodes = [0, 129, 130, 143]
process.exit(stoppedBy && stopCodes.includes(code) ? 0 : code)
