// `npm run verify -- [FOLDER] [--data DIR] [--wait SECONDS]`: exit code 0 all agrees, 1 something was found, 2 it could not be checked
import { ensureToolchain, requireLinuxX64, requireStoreTools, run, tellFailures } from './bootstrap.mjs'

tellFailures()
requireLinuxX64()
requireStoreTools()
await ensureToolchain()
const env = { INIT_CWD: process.env.INIT_CWD ?? process.cwd() }
const { code } = await run(['services/solo/src/verify-main.ts', ...process.argv.slice(2)], { env })
process.exit(code)
