import { createLogger } from '@docent/kit/logger'
import { inTransaction, openPostgres } from '@docent/kit/postgres'
import { expect, inject, test } from 'vitest'

test('a connection that dies between two statements fails its transaction, not the process; the pool goes on', async () => {
  const pool = openPostgres(inject('stores').databaseUrl, createLogger('test', 'silent'))
  try {
    const dying = inTransaction(pool, async (client) => {
      const { rows } = await client.query<{ pid: number }>('SELECT pg_backend_pid() AS pid')
      const ended = new Promise((done) => client.once('end', done))
      await pool.query('SELECT pg_terminate_backend($1)', [rows[0]!.pid])
      await ended
      await client.query('SELECT 1')
    })
    await expect(dying).rejects.toThrow()
    expect((await pool.query<{ n: number }>('SELECT 1 AS n')).rows).toEqual([{ n: 1 }])
    expect(pool.totalCount).toBe(pool.idleCount)
  } finally {
    await pool.end()
  }
})
