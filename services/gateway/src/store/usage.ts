import { AppError } from '@docent/core/errors'
import { databaseError, inTransaction, type Pool, type Queryable } from '@docent/kit/postgres'

export type Reservation = { day: string; tokens: number; principal: string }
export type UsageStore = ReturnType<typeof createUsage>

const EVERYONE = '*'

/** What was used per day and principal. The row `*` carries the day's budget: reserved before, settled after. */
export function createUsage(pool: Pool, dailyTokens: number) {
  return {
    /**
     * Nothing is spent that was not reserved. Not in the question's transaction: the one row would make all questions
     * wait for each other's disk flush; a power cut may forget half a second of reservations, never what was settled.
     */
    async reserve({ day, tokens }: Reservation): Promise<void> {
      if (tokens === 0 || dailyTokens === 0) return
      try {
        await inTransaction(pool, async (client) => {
          await client.query('SET LOCAL synchronous_commit = off')
          await client.query('INSERT INTO usage (day, principal) VALUES ($1, $2) ON CONFLICT DO NOTHING', [day, EVERYONE])
          const { rowCount } = await client.query(
            `UPDATE usage SET reserved_tokens = reserved_tokens + $3 WHERE day = $1 AND principal = $2
             AND input_tokens + output_tokens + reserved_tokens + $3 <= $4`,
            [day, EVERYONE, tokens, dailyTokens],
          )
          if (rowCount !== 1) {
            throw new AppError('budget_exhausted', "Today's token budget is used up; ask again tomorrow or raise DAILY_TOKEN_BUDGET.", {
              retryAfterS: secondsToMidnight(),
            })
          }
        })
      } catch (error) {
        throw databaseError(error)
      }
    },
    /** Books what was used and gives the reservation back. */
    async settle(
      client: Queryable,
      reservation: Reservation,
      used: { requests: number; input: number; output: number; money: number },
    ): Promise<void> {
      const reserved = dailyTokens === 0 ? 0 : reservation.tokens
      await client.query(
        `INSERT INTO usage AS u (day, principal, requests, input_tokens, output_tokens, money)
         VALUES ($1, $2, $4, $5, $6, $7), ($1, $3, $4, $5, $6, $7)
         ON CONFLICT (day, principal) DO UPDATE SET requests = u.requests + $4, input_tokens = u.input_tokens + $5,
           output_tokens = u.output_tokens + $6, money = u.money + $7,
           reserved_tokens = CASE WHEN u.principal = $3 THEN greatest(0, u.reserved_tokens - $8) ELSE u.reserved_tokens END`,
        [reservation.day, reservation.principal, EVERYONE, used.requests, used.input, used.output, used.money, reserved],
      )
    },
    async days(limit: number): Promise<unknown[]> {
      try {
        const { rows } = await pool.query(
          `SELECT day::text, principal, requests, input_tokens::float8 AS "inputTokens", output_tokens::float8 AS "outputTokens", money::float8 AS cost
           FROM usage ORDER BY day DESC, principal LIMIT $1`,
          [limit],
        )
        return rows
      } catch (error) {
        throw databaseError(error)
      }
    },
  }
}

export function today(): string {
  return new Date().toISOString().slice(0, 10)
}

function secondsToMidnight(): number {
  const now = new Date()
  return Math.ceil((Date.UTC(now.getUTCFullYear(), now.getUTCMonth(), now.getUTCDate() + 1) - now.getTime()) / 1000)
}
