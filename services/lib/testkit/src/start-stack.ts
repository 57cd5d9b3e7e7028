import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Answer } from '@docent/core/answer-event'
import type { DocumentView } from '@docent/core/document'
import { type Solo, type SoloStores, startSolo } from '@docent/solo/solo'
import { ownDatabase } from './own-database.ts'
import { until } from './until.ts'

export type Stack = Solo & {
  folder: string
  /** the documents as the API lists them */
  documents(): Promise<{ items: DocumentView[]; counts: Record<string, number> }>
  /** waits until the document at `path` is in `state` (or gone, for `removed`) */
  settled(path: string, state: DocumentView['state']): Promise<DocumentView | undefined>
  ask(question: string, fields?: Record<string, unknown>): Promise<Answer>
}

/** All services in one process over a database and folder of their own; Redis databases and the Chroma collection are shared. */
export async function startStack(
  stores: SoloStores,
  scope: AsyncDisposableStack,
  options: { folder?: string; env?: Record<string, string>; database?: string } = {},
): Promise<Stack> {
  const folder = options.folder ?? mkdtempSync(join(tmpdir(), 'docent-folder-'))
  if (!options.folder) scope.defer(() => rmSync(folder, { recursive: true, force: true }))
  const databaseUrl = options.database ?? (await ownDatabase(stores.databaseUrl, scope))
  const solo = await startSolo(
    {
      folder,
      host: '127.0.0.1',
      port: 0,
      adminKey: randomBytes(24).toString('base64url'),
      stores: { ...stores, databaseUrl },
      // all stacks of a run are one address, counted in one Redis
      env: { LOG_LEVEL: 'error', SETTLE_MS: '100', SCAN_INTERVAL_S: '1', RATE_LIMIT_PER_MINUTE: '1000000', ...options.env },
    },
    scope,
  )
  const documents = async () => {
    const response = await fetch(`${solo.url}/api/v1/documents?limit=200`)
    if (!response.ok) throw new Error(`documents: ${response.status} ${await response.text()}`)
    return (await response.json()) as Awaited<ReturnType<Stack['documents']>>
  }
  return {
    ...solo,
    folder,
    documents,
    settled: (path, state) =>
      until(`${path} is ${state}`, async () => {
        const found = (await documents()).items.find((document) => document.path === path)
        if (state === 'removed') return found ? undefined : { done: undefined }
        return found?.state === state ? { done: found } : undefined
      }).then(({ done }) => done),
    async ask(question, fields = {}) {
      const response = await fetch(`${solo.url}/api/v1/ask`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ question, ...fields }),
      })
      if (!response.ok) throw new Error(`ask: ${response.status} ${await response.text()}`)
      return (await response.json()) as Answer
    },
  }
}
