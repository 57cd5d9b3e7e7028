import { createLogger } from '@docent/kit/logger'
import { runMain } from '@docent/kit/run-main'
import { readConfig } from './config.ts'
import { startIngest } from './ingest-service.ts'

await runMain((scope) => {
  const config = readConfig(process.env)
  return startIngest(config, scope, { log: createLogger('ingest', config.logLevel) })
})
