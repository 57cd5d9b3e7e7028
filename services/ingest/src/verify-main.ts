import { parseArgs } from 'node:util'
import { readEnv } from '@docent/kit/config'
import { envSchema } from './config.ts'
import { readWait, runVerify, verifyProcess } from './verify/run-verify.ts'

// the oracle over the stores that the environment names: those of the composed stack, or any others
await verifyProcess(() => {
  const { values } = parseArgs({ options: { wait: { type: 'string', default: '0' } } })
  const env = readEnv(envSchema.pick({ DATABASE_URL: true, CHROMA_URL: true, DOCENT_FOLDER: true, MAX_FILE_MB: true }), process.env)
  return runVerify(
    {
      databaseUrl: env.DATABASE_URL,
      chromaUrl: env.CHROMA_URL,
      folder: env.DOCENT_FOLDER,
      maxFileBytes: env.MAX_FILE_MB * 1024 * 1024,
      waitMs: readWait(values.wait),
    },
    console.log,
  )
})
