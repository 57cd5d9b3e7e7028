import { AppError } from '@docent/core/errors'
import { databaseError, inTransaction, type Pool, type Queryable } from '@docent/kit/postgres'

/** The most that one answer may use, put aside before it begins. */
export type Reservation = { day: string; tokens: number; money?: number; principal: string }
/** 0 is no limit; money in the currency of the prices. */
export type Budgets = { dayTokens: number; monthTokens: number; dayMoney: number; monthMoney: number; warnPercent: number }
export type BudgetName = 'dayTokens' | 'monthTokens' | 'dayMoney' | 'monthMoney'
export type Amount = Pick<Reservation, 'day' | 'tokens' | 'money'>
export type BudgetShare = { name: BudgetName; used: number; budget: number }
export type UsageStore = ReturnType<typeof createUsage>
/** Days in UTC, both included; a principal that ends in a colon stands for all that begin so. */
export type UsageFilter = { from?: string | undefined; to?: string | undefined; principal?: string | undefined }
export type UsageRow = {
  day: string
  principal: string
  name?: string | null
  requests: number
  inputTokens: number
  outputTokens: number
  cost: number
}

export const EVERYONE = '*'

// the other days of this month; what a dead process left reserved on them is forgotten after a day
const others = (sum: string, reserved: string) =>
  `(SELECT coalesce(sum(${sum} + CASE WHEN o.day >= $1::date - 1 THEN o.${reserved} ELSE 0 END), 0) FROM usage o
    WHERE o.principal = '${EVERYONE}' AND o.day >= date_trunc('month', $1::date)::date AND o.day < $1::date)`
const dayTokens = '(u.input_tokens + u.output_tokens + u.reserved_tokens)'
const dayMoney = '(u.money + u.reserved_money)'
const monthTokens = `(${dayTokens} + ${others('o.input_tokens + o.output_tokens', 'reserved_tokens')})`
const monthMoney = `(${dayMoney} + ${others('o.money', 'reserved_money')})`
type Figures = Record<BudgetName, number>

/** What was used per day and principal. The row `*` carries the budgets of all together: reserved before, settled after. */
export function createUsage(pool: Pool, budgets: Budgets) {
  const names: readonly BudgetName[] = ['dayTokens', 'monthTokens', 'dayMoney', 'monthMoney']
  const hasBudget = names.some((name) => budgets[name] > 0)
  const shares = (used: Figures): BudgetShare[] =>
    names.filter((name) => budgets[name] > 0).map((name) => ({ name, used: used[name], budget: budgets[name] }))
  const takingValues = (amount: Amount | undefined) => [
    amount?.day ?? null,
    amount?.tokens ?? 0,
    amount?.money ?? 0,
    budgets.dayTokens,
    budgets.monthTokens,
    budgets.dayMoney,
    budgets.monthMoney,
  ]

  // a month is summed up only where it has a budget
  const figures = Object.entries({
    dayTokens,
    monthTokens: budgets.monthTokens > 0 ? monthTokens : '0',
    dayMoney,
    monthMoney: budgets.monthMoney > 0 ? monthMoney : '0',
  })
    .map(([name, sum]) => `${sum}::float8 AS "${name}"`)
    .join(', ')
  const taking = `UPDATE usage u SET reserved_tokens = u.reserved_tokens + $2, reserved_money = u.reserved_money + $3
    WHERE u.day = $1 AND u.principal = '${EVERYONE}'
      AND ($4::float8 = 0 OR ${dayTokens} + $2 <= $4) AND ($5::float8 = 0 OR ${monthTokens} + $2 <= $5)
      AND ($6::float8 = 0 OR ${dayMoney} + $3 <= $6::numeric) AND ($7::float8 = 0 OR ${monthMoney} + $3 <= $7::numeric)
    RETURNING ${figures}`

  async function openDay(client: Queryable, day: string): Promise<void> {
    await client.query('INSERT INTO usage (day, principal) VALUES ($1, $2) ON CONFLICT DO NOTHING', [day, EVERYONE])
  }

  /** Why an amount did not fit: budget_exhausted. */
  async function refusal(client: Queryable, { day, tokens, money = 0 }: Amount): Promise<AppError> {
    const { rows } = await client.query<Figures>(`SELECT ${figures} FROM usage u WHERE u.day = $1 AND u.principal = '${EVERYONE}'`, [day])
    const asked: Figures = { dayTokens: tokens, monthTokens: tokens, dayMoney: money, monthMoney: money }
    return exhausted(shares(rows[0]!).find(({ name, used, budget }) => used + asked[name] > budget)?.name ?? 'dayTokens')
  }

  async function takeOrRefuse(client: Queryable, amount: Amount): Promise<BudgetShare[]> {
    await openDay(client, amount.day)
    const { rows } = await client.query<Figures>({ name: 'reserve', text: taking, values: takingValues(amount) })
    if (!rows[0]) throw await refusal(client, amount)
    return shares(rows[0])
  }

  return {
    /** Whether this must be put aside before it is used. */
    isCounted: ({ tokens }: Pick<Reservation, 'tokens'>): boolean => tokens > 0 && hasBudget,
    /** SQL that takes an amount from the day's row of all, if it fits; no row: it does not, or the day has none yet. Values from $1 on. */
    taking,
    takingValues,
    openDay: (day: string): Promise<void> => openDay(pool, day),
    refusal: (amount: Amount): Promise<AppError> => refusal(pool, amount),
    sharesOf: shares,
    /**
     * Nothing is spent that was not reserved: one statement takes it from today's row of all, so that callers at the same
     * time wait for each other. Questions take theirs as they are committed (beginnings.ts); this is for what is asked beside
     * them, and for keys with a budget of their own. Returns how full each budget is now. Errors: budget_exhausted.
     */
    async reserve({ day, tokens, money = 0, principal }: Reservation, ownTokens = 0): Promise<BudgetShare[]> {
      if (tokens === 0 || !(hasBudget || ownTokens > 0)) return []
      try {
        if (ownTokens === 0) return await takeOrRefuse(pool, { day, tokens, money })
        return await inTransaction(pool, async (client) => {
          await client.query('SET LOCAL synchronous_commit = off')
          // a key's own row first, always in this order: two rows locked crosswise would be a deadlock
          await reserveOwn(client, { day, tokens, principal }, ownTokens)
          return takeOrRefuse(client, { day, tokens, money })
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
      await client.query(
        `INSERT INTO usage AS u (day, principal, requests, input_tokens, output_tokens, money)
         VALUES ($1, $2, $4, $5, $6, $7), ($1, $3, $4, $5, $6, $7)
         ON CONFLICT (day, principal) DO UPDATE SET requests = u.requests + $4, input_tokens = u.input_tokens + $5,
           output_tokens = u.output_tokens + $6, money = u.money + $7,
           reserved_tokens = greatest(0, u.reserved_tokens - $8), reserved_money = greatest(0, u.reserved_money - $9)`,
        [
          reservation.day,
          reservation.principal,
          EVERYONE,
          used.requests,
          used.input,
          used.output,
          used.money,
          reservation.tokens,
          reservation.money ?? 0,
        ],
      )
    },
    /** How full each budget is, with what running answers have put aside. */
    async shares(): Promise<BudgetShare[]> {
      try {
        const { rows } = await pool.query<Figures>(
          `SELECT ${figures} FROM (SELECT coalesce(max(input_tokens), 0) AS input_tokens, coalesce(max(output_tokens), 0) AS output_tokens,
             coalesce(max(reserved_tokens), 0) AS reserved_tokens, coalesce(max(money), 0) AS money, coalesce(max(reserved_money), 0) AS reserved_money
             FROM usage WHERE day = $1 AND principal = '${EVERYONE}') u`,
          [today()],
        )
        return shares(rows[0]!)
      } catch (error) {
        throw databaseError(error)
      }
    },
    /** Newest day first, at most `limit` rows after `after`; of a key its name, too. */
    async days({ from, to, principal }: UsageFilter, limit: number, after?: [day: string, principal: string]): Promise<UsageRow[]> {
      try {
        const { rows } = await pool.query<UsageRow>(
          `SELECT day::text, u.principal, k.name, requests, input_tokens::float8 AS "inputTokens", output_tokens::float8 AS "outputTokens", money::float8 AS cost
           FROM usage u LEFT JOIN api_key k ON u.principal = 'key:' || k.id
           WHERE ($2::date IS NULL OR day >= $2) AND ($3::date IS NULL OR day <= $3)
             AND ($4::text IS NULL OR u.principal = $4 OR right($4, 1) = ':' AND starts_with(u.principal, $4))
             AND ($5::date IS NULL OR day < $5 OR day = $5 AND u.principal > $6)
           ORDER BY day DESC, u.principal LIMIT $1`,
          [limit, from ?? null, to ?? null, principal ?? null, after?.[0] ?? null, after?.[1] ?? null],
        )
        return rows.map(({ name, ...row }) => (name ? { ...row, name } : row))
      } catch (error) {
        throw databaseError(error)
      }
    },
  }
}

async function reserveOwn(client: Queryable, { day, tokens, principal }: Reservation, limit: number): Promise<void> {
  await client.query('INSERT INTO usage (day, principal) VALUES ($1, $2) ON CONFLICT DO NOTHING', [day, principal])
  const { rowCount } = await client.query(
    `UPDATE usage u SET reserved_tokens = u.reserved_tokens + $3
     WHERE u.day = $1 AND u.principal = $2 AND ${dayTokens} + $3 <= $4`,
    [day, principal, tokens, limit],
  )
  if (rowCount !== 1)
    throw new AppError(
      'budget_exhausted',
      "What is left of this key's tokens of today does not cover another answer; ask again tomorrow.",
      {
        retryAfterS: secondsToMidnight(),
      },
    )
}

const exhaustion: Record<BudgetName, [window: 'day' | 'month', message: string]> = {
  dayTokens: ['day', "What is left of today's token budget does not cover another answer; ask again tomorrow or raise DAILY_TOKEN_BUDGET."],
  monthTokens: [
    'month',
    "What is left of this month's token budget does not cover another answer; ask again next month or raise MONTHLY_TOKEN_BUDGET.",
  ],
  dayMoney: [
    'day',
    "What is left of today's budget of money does not cover another answer; ask again tomorrow or raise DAILY_MONEY_BUDGET.",
  ],
  monthMoney: [
    'month',
    "What is left of this month's budget of money does not cover another answer; ask again next month or raise MONTHLY_MONEY_BUDGET.",
  ],
}

function exhausted(name: BudgetName): AppError {
  const [window, message] = exhaustion[name]
  return new AppError('budget_exhausted', message, { retryAfterS: window === 'day' ? secondsToMidnight() : secondsToNextMonth() })
}

export function today(): string {
  return new Date().toISOString().slice(0, 10)
}

function secondsToMidnight(): number {
  const now = new Date()
  return secondsUntil(Date.UTC(now.getUTCFullYear(), now.getUTCMonth(), now.getUTCDate() + 1))
}

function secondsToNextMonth(): number {
  const now = new Date()
  return secondsUntil(Date.UTC(now.getUTCFullYear(), now.getUTCMonth() + 1, 1))
}

function secondsUntil(time: number): number {
  return Math.ceil((time - Date.now()) / 1000)
}
