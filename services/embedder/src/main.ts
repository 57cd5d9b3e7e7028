import { runMain } from '@docent/kit/run-main'
import { readConfig } from './config.ts'
import { startEmbedder } from './embedder-service.ts'

await runMain((scope) => startEmbedder(readConfig(process.env), scope))
