// `pnpm run generate`: writes .env.example and the READMEs' configuration tables from the services' schemas
import { readFileSync, writeFileSync } from 'node:fs'
import { renderEnvExample, withTable } from '../src/env-docs.ts'

const root = new URL('../../../../', import.meta.url)
writeFileSync(new URL('.env.example', root), renderEnvExample())
for (const name of ['README.md', 'README.zh-CN.md']) {
  const url = new URL(name, root)
  writeFileSync(url, withTable(readFileSync(url, 'utf8')))
}
