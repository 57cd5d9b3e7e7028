import { randomBytes, randomUUID } from 'node:crypto'
import { isDiskFull } from '@docent/core/database-trouble'
import { databaseError, inTransaction, type Pool } from '@docent/kit/postgres'

export type Writes = ReturnType<typeof createWrites>

const PROBE_BYTES = 48_000
const undone = new Error('undone')

/** Whether the database takes writes: without room on its disk it refuses them and goes on to read, so that reads alone say too little. */
export function createWrites(pool: Pool) {
  let isRefused = false

  /** Stores a question of that size and takes it back. Errors: unavailable. */
  async function probe(): Promise<void> {
    const text = randomBytes(PROBE_BYTES / 2).toString('hex')
    try {
      await inTransaction(pool, async (client) => {
        const conversation = randomUUID()
        await client.query(`INSERT INTO conversation (id, principal) VALUES ($1, 'probe')`, [conversation])
        await client.query(`INSERT INTO message (id, conversation, role, text, state) VALUES ($1, $2, 'question', $3, 'done')`, [
          randomUUID(),
          conversation,
          text,
        ])
        throw undone
      })
    } catch (error) {
      if (error !== undone) throw databaseError(error)
    }
  }

  return {
    probe,
    /** Of a write that failed: until a probe has passed `check` does. */
    note(error: unknown): void {
      if (isDiskFull(error)) isRefused = true
    },
    /** For /readyz. */
    async check(): Promise<void> {
      await pool.query('SELECT count(*) FROM setting')
      if (!isRefused) return
      await probe()
      isRefused = false
    },
  }
}
