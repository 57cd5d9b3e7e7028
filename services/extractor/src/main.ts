import { runMain } from '@docent/kit/run-main'
import { readConfig } from './config.ts'
import { startExtractor } from './extractor-service.ts'

await runMain((scope) => startExtractor(readConfig(process.env), scope))
