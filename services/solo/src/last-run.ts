import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** What other programs over the same data folder need to know; the addresses hold only while process `pid` lives. */
export type LastRun = { pid: number; folder: string; maxFileMb: string; url?: string; databaseUrl: string; chromaUrl: string }

export function rememberRun(dataDir: string, { folder, maxFileMb, url, databaseUrl, chromaUrl }: Omit<LastRun, 'pid'>): void {
  const run: LastRun = { pid: process.pid, folder, maxFileMb, url, databaseUrl, chromaUrl }
  // the address of the database holds its password
  writeFileSync(fileOf(dataDir), JSON.stringify(run), { mode: 0o600 })
}

export function readLastRun(dataDir: string): LastRun | undefined {
  return existsSync(fileOf(dataDir)) ? (JSON.parse(readFileSync(fileOf(dataDir), 'utf8')) as LastRun) : undefined
}

function fileOf(dataDir: string): string {
  return join(dataDir, 'secrets', 'last-run')
}
