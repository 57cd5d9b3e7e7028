import { ConfigError, readEnv } from '@docent/kit/config'
import { z } from 'zod'
import { envSchema } from './config.ts'
import { runVerify } from './verify/run-verify.ts'

const schema = envSchema
  .pick({ DATABASE_URL: true, CHROMA_URL: true, DOCENT_FOLDER: true, MAX_FILE_MB: true })
  .extend({ VERIFY_WAIT_S: z.coerce.number().min(0).max(3_600).default(0) })

// exit codes: 0 all agrees, 1 something was found, 2 it could not be checked
try {
  const env = readEnv(schema, process.env)
  process.exitCode = await runVerify(
    {
      databaseUrl: env.DATABASE_URL,
      chromaUrl: env.CHROMA_URL,
      folder: env.DOCENT_FOLDER,
      maxFileBytes: env.MAX_FILE_MB * 1024 * 1024,
      waitMs: env.VERIFY_WAIT_S * 1000,
    },
    console.log,
  )
} catch (error) {
  console.error(error instanceof ConfigError ? error.message : error)
  process.exitCode = 2
}
