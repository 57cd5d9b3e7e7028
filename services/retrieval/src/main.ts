import { createLogger } from '@docent/kit/logger'
import { runMain } from '@docent/kit/run-main'
import { readConfig } from './config.ts'
import { startRetrieval } from './retrieval-service.ts'

await runMain((scope) => {
  const config = readConfig(process.env)
  return startRetrieval(config, scope, { log: createLogger('retrieval', config.logLevel) })
})
