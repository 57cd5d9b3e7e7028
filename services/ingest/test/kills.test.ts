import { expect, test } from 'vitest'
import { until } from '../../lib/testkit/src/until.ts'
import { isFull, PATIENCE, record, secondsSince } from './fault-record.ts'
import { longText, openWorld } from './worker-world.ts'

const RECOVERY_MS = 15_000

const moments = [
  { point: 'K1', name: 'seen' },
  { point: 'K2', name: 'in the ledger' },
  { point: 'K3', name: 'queued' },
  { point: 'K4', name: 'parsing' },
  { point: 'K5', name: 'embedding' },
  { point: 'K6', name: 'half the vectors in Chroma' },
  { point: 'K7', name: 'all vectors in Chroma' },
  { point: 'K8', name: 'flipped' },
  { point: 'K9', name: 'old version deleted' },
  { point: 'K10', name: 'before the job is acknowledged' },
]

test.concurrent.for(isFull ? Array.from({ length: 5 }, () => moments).flat() : moments)(
  'killed at $point ($name), it works again within 15 s and nothing is lost or double',
  PATIENCE,
  async ({ point }, context) => {
    await using scope = new AsyncDisposableStack()
    const world = await openWorld(scope)
    // an older version serves when the kill comes
    world.put('book.txt', longText('first', 110))
    await world.indexHere()

    world.put('book.txt', longText('second', 110))
    world.put('leaf.txt', 'A leaf beside the book.')
    const hit = await world.worker({ FAULT_POINT: point, INGEST_CONCURRENCY: '1' })
    expect((await hit.ended(120_000)).signal).toBe('SIGKILL')
    const embedded = new Set(world.embedder.embedded)

    const again = await world.worker()
    await again.up()
    const up = performance.now()
    await world.allReady(RECOVERY_MS)
    const seconds = secondsSince(up)
    const { chunks } = await world.clean()
    expect(chunks).toBe(111)
    // the killed attempt told no end; it gets one, whatever became of its document
    const open = async () => (await world.pool.query('SELECT 1 FROM attempt WHERE ended_at IS NULL')).rows.length
    await until('no attempt is left open', async () => (await open()) === 0 || undefined)
    // what had been embedded and saved is not embedded again: at most the batch under way
    const again16 = world.embedder.embedded.slice(embedded.size).filter((text) => embedded.has(text))
    expect(again16.length).toBeLessThanOrEqual(16)
    record(context, { row: 1, fault: 'worker SIGKILL', moment: point, seconds })
  },
)
