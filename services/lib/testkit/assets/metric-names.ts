import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const services = fileURLToPath(new URL('../../../', import.meta.url))

/** Names of our metrics that a query reads, without a histogram's endings. */
export function metricsIn(query: string): string[] {
  return (query.match(/\bdocent_[a-z0-9_]+/g) ?? []).map((name) => name.replace(/_(bucket|count|sum)$/, ''))
}

function sources(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    if (['node_modules', 'testkit', 'model', 'web'].includes(entry.name)) return []
    const path = join(folder, entry.name)
    if (entry.isDirectory()) return sources(path)
    return entry.name.endsWith('.ts') && !entry.name.endsWith('.test.ts') ? [path] : []
  })
}

/** Names declared in the sources of the services. */
export function declaredMetrics(): Set<string> {
  return new Set(
    sources(services).flatMap((file) =>
      [...readFileSync(file, 'utf8').matchAll(/['"`](docent_[a-z0-9_]+)['"`]/g)].map((match) => match[1] as string),
    ),
  )
}
