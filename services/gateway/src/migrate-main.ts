import { ConfigError, readEnv } from '@docent/kit/config'
import { migrateAll } from '@docent/kit/migrate-all'
import { z } from 'zod'

const schema = z.object({ DATABASE_URL: z.string().min(1), CORPUS_PASSWORD: z.string().min(16), CHAT_PASSWORD: z.string().min(16) })

// the one-shot `migrate` container: both schemas, then exit 0
try {
  const env = readEnv(schema, process.env)
  await migrateAll({
    adminUrl: env.DATABASE_URL,
    corpusPassword: env.CORPUS_PASSWORD,
    chatPassword: env.CHAT_PASSWORD,
    corpusDir: new URL('../../lib/corpus/migrations/', import.meta.url),
    chatDir: new URL('../migrations/', import.meta.url),
    log: (line) => console.log(line),
  })
} catch (error) {
  console.error(error instanceof ConfigError ? error.message : error)
  process.exitCode = 1
}
