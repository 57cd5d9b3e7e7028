import { setTimeout as sleep } from 'node:timers/promises'
import type { Change, Corpus } from './corpus.ts'
import type { CorpusLog, Database, Pool } from './database.ts'

const RECONNECT_MS = 1_000

/** What changed, in order. NOTIFY only wakes; a follower that polls misses nothing. */
export function createFeed(pool: Pool, database: Database, log: CorpusLog): Pick<Corpus, 'lastChange' | 'changesAfter' | 'onChange'> {
  return {
    async lastChange() {
      const { rows } = await database.query<{ seq: string }>('SELECT coalesce(max(seq), 0) AS seq FROM change_feed')
      return Number(rows[0]!.seq)
    },
    async changesAfter(seq, limit) {
      const { rows } = await database.query<{ seq: string; document: string; kind: Change['kind'] }>(
        'SELECT seq, document, kind FROM change_feed WHERE seq > $1 ORDER BY seq LIMIT $2',
        [seq, limit],
      )
      return rows.map((row) => ({ seq: Number(row.seq), documentId: row.document, kind: row.kind }))
    },
    onChange: (wake) => listen(pool, wake, log),
  }
}

/** Holds one connection of the pool that listens, and takes another one when it is lost. */
function listen(pool: Pool, wake: () => void, log: CorpusLog): AsyncDisposable {
  const stopped = new AbortController()
  const following = follow()

  async function follow(): Promise<void> {
    while (!stopped.signal.aborted) {
      try {
        await listenOnce(pool, wake, stopped.signal)
      } catch (error) {
        if (!stopped.signal.aborted) log.warn({ err: error }, 'the change feed has no connection; polling goes on')
      }
      await sleep(RECONNECT_MS, undefined, { signal: stopped.signal }).catch(() => undefined)
    }
  }

  return {
    async [Symbol.asyncDispose]() {
      stopped.abort()
      await following
    },
  }
}

async function listenOnce(pool: Pool, wake: () => void, stop: AbortSignal): Promise<void> {
  const client = await pool.connect()
  try {
    await client.query('LISTEN corpus_change')
    client.on('notification', wake)
    await new Promise<void>((done, lost) => {
      client.once('error', lost)
      client.once('end', () => lost(new Error('the connection ended')))
      if (stop.aborted) return done()
      stop.addEventListener('abort', () => done(), { once: true })
      wake() // something may have changed before LISTEN stood
    })
  } finally {
    client.removeAllListeners('notification')
    // its errors were ours; from here on nobody uses it
    client.on('error', () => undefined)
    client.release(true)
  }
}
