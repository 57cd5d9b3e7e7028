import { setTimeout as wait } from 'node:timers/promises'
import { internalHeaders } from '@docent/kit/internal'
import type { Solo } from './solo.ts'

type Stats = { documents: Record<string, number>; lastScanAt: string | null }

const POLL_MS = 250

/** Follows the first scan and its indexing, says how far it is, and returns the counts once nothing is waiting. */
export async function followIndexing(
  solo: Solo,
  say: (line: string) => void,
  stop: AbortSignal,
): Promise<{ ready: number; failed: number }> {
  let last = ''
  while (!stop.aborted) {
    const { documents, lastScanAt } = await readStats(solo)
    const { ready = 0, failed = 0, queued = 0, indexing = 0 } = documents
    const total = ready + failed + queued + indexing
    const line = `indexing ${ready + failed}/${total}`
    if (lastScanAt && total > 0 && line !== last) say((last = line))
    if (lastScanAt && queued + indexing === 0) return { ready, failed }
    await wait(POLL_MS)
  }
  return { ready: 0, failed: 0 }
}

async function readStats(solo: Solo): Promise<Stats> {
  const headers = internalHeaders(solo.internalToken, { id: 'solo', kind: 'admin', scopes: ['admin'] })
  const response = await fetch(`${solo.ingestUrl}/stats`, { headers })
  if (!response.ok) throw new Error(`ingest answered ${response.status} when asked for its progress`)
  return (await response.json()) as Stats
}
