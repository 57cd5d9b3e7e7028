import { createLogger } from '@docent/kit/logger'
import { runMain } from '@docent/kit/run-main'
import { readConfig } from './config.ts'
import { startGateway } from './gateway-service.ts'

await runMain((scope) => {
  const config = readConfig(process.env)
  return startGateway(config, scope, { log: createLogger('gateway', config.logLevel) })
})
