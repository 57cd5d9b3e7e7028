import { envSchema as embedder } from '@docent/embedder/config'
import { extractorEnv as extractor } from '@docent/extractor/config'
import { envSchema as gateway } from '@docent/gateway/config'
import { envSchema as ingest } from '@docent/ingest/config'
import { envSchema as retrieval } from '@docent/retrieval/config'
import type { z } from 'zod'

type Variable = { name: string; services: string[]; fallback: string; description: string }

const schemas = { gateway, ingest, retrieval, embedder, extractor }
// what the machine's wiring decides: compose and `npm start` set these, no operator does
const wired =
  /^(HOST|PORT|METRICS_PORT|DATABASE_URL|QUEUE_URL|CACHE_URL|CHROMA_URL|INTERNAL_TOKEN|ADMIN_KEY|RETRIEVAL_URL|INGEST_URL|EMBEDDER_URL|EXTRACTOR_SOCKET|DOCENT_FOLDER|LOCAL_ONLY|SNAPSHOT_FILE)$/

/** What an operator may set, from the services' own schemas; a variable several services read is listed once. */
export function listVariables(): Variable[] {
  const variables = new Map<string, Variable>()
  for (const [service, schema] of Object.entries(schemas)) {
    for (const [name, type] of Object.entries(schema.shape) as [string, z.ZodType][]) {
      if (wired.test(name)) continue
      const known = variables.get(name)
      if (known) known.services.push(service)
      else {
        const absent = type.safeParse(undefined)
        const fallback = absent.success && absent.data !== undefined ? String(absent.data) : ''
        variables.set(name, { name, services: [service], fallback, description: type.meta()?.description ?? '' })
      }
    }
  }
  return [...variables.values()]
}

export function renderTable(): string {
  const rows = listVariables().map(
    ({ name, services, fallback, description }) =>
      `| \`${name}\` | ${fallback ? `\`${fallback}\`` : '–'} | ${description} | ${services.join(', ')} |`,
  )
  return ['| variable | default | what it does | read by |', '|---|---|---|---|', ...rows].join('\n')
}

export function renderEnvExample(): string {
  const lines = listVariables().map(
    ({ name, fallback, description, services }) => `# ${description} (${services.join(', ')})\n# ${name}=${fallback}\n`,
  )
  return [
    '# Copy to .env and uncomment what you want to change; nothing in here is needed.',
    '# Each secret X may also be given as X_FILE, the path of a file that holds it.',
    '',
    ...lines,
  ].join('\n')
}

const mark = /(<!-- env:begin -->\n)[\s\S]*?(<!-- env:end -->)/

export function withTable(readme: string): string {
  if (!mark.test(readme)) throw new Error('the README has no <!-- env:begin --> … <!-- env:end --> block')
  return readme.replace(mark, (_all, begin: string, end: string) => `${begin}${renderTable()}\n${end}`)
}
