import { randomUUID } from 'node:crypto'
import { afterAll, beforeEach, expect, test } from 'vitest'
import { createBeginnings, type NewAnswer } from '../src/store/beginnings.ts'
import { createEndings } from '../src/store/endings.ts'
import { createMessages } from '../src/store/messages.ts'
import { createUsage, today } from '../src/store/usage.ts'
import { openPlace, openPool } from './harness.ts'

const scope = new AsyncDisposableStack()
afterAll(() => scope.disposeAsync())
const place = await openPlace(scope)
const pool = scope.adopt(openPool(place.databaseUrl), (open) => open.end())
const none = { monthTokens: 0, dayMoney: 0, monthMoney: 0, warnPercent: 80 }

beforeEach(async () => {
  await pool.query('DELETE FROM usage')
})

/** The store of a process of its own, as far as batches go. */
function replica(dayTokens = 0) {
  const usage = createUsage(pool, { ...none, dayTokens })
  return createBeginnings(pool, usage)
}

function question(more: Partial<NewAnswer> = {}): NewAnswer {
  const principal = `client:${randomUUID()}`
  return {
    answerId: randomUUID(),
    questionId: randomUUID(),
    conversationId: randomUUID(),
    newConversation: true,
    principal,
    question: '保修期是多久？',
    persona: 'neutral',
    owner: 'test',
    body: {},
    reservation: { day: today(), tokens: 100, principal },
    ...more,
  }
}

async function reserved(): Promise<number> {
  const { rows } = await pool.query<{ tokens: number }>('SELECT coalesce(sum(reserved_tokens), 0)::int AS tokens FROM usage')
  return rows[0]!.tokens
}

async function kept(answers: readonly NewAnswer[]): Promise<number> {
  const { rowCount } = await pool.query('SELECT FROM message WHERE id = ANY ($1)', [answers.map(({ answerId }) => answerId)])
  return rowCount ?? 0
}

test('questions at once at two replicas are stored as far as the budget goes, and refused beyond it', async () => {
  const replicas = [replica(350), replica(350)]
  const all = Array.from({ length: 12 }, () => question())
  const ends = await Promise.allSettled(all.map((answer, i) => replicas[i % 2]!.begin(answer)))
  const refused = ends.flatMap((end) => (end.status === 'rejected' ? [end.reason] : []))
  expect(refused).toHaveLength(9)
  for (const error of refused) expect(error).toMatchObject({ code: 'budget_exhausted' })
  expect(await kept(all)).toBe(3)
  expect(await reserved()).toBe(300)
})

test('one Idempotency-Key at two replicas among other questions begins one answer, and its reservation alone stays', async () => {
  const replicas = [replica(1_000_000), replica(1_000_000)]
  const mine = { principal: `client:${randomUUID()}`, idempotency: { key: 'k', bodyHash: 'same' } }
  const same = Array.from({ length: 20 }, () => question(mine))
  const others = Array.from({ length: 10 }, () => question())
  const begun = await Promise.all([...same, ...others].map((answer, i) => replicas[i % 2]!.begin(answer)))
  expect(begun.slice(20).every(({ kind }) => kind === 'new')).toBe(true)
  expect(begun.filter(({ kind }) => kind === 'new')).toHaveLength(11)
  const seen = begun.flatMap((one) => (one.kind === 'seen' ? [one.answerId] : []))
  expect(new Set(seen).size).toBe(1)
  expect(await replicas[0]!.seen(mine.principal, mine.idempotency)).toBe(seen[0])
  expect([await kept(same), await kept(others), await reserved()]).toEqual([1, 10, 1_100])
  await expect(replicas[1]!.begin(question({ ...mine, idempotency: { key: 'k', bodyHash: 'other' } }))).rejects.toMatchObject({
    code: 'idempotency_mismatch',
  })
  expect(await reserved()).toBe(1_100)
})

test('a key that is a day old counts no more', async () => {
  const mine = { principal: `client:${randomUUID()}`, idempotency: { key: 'k', bodyHash: 'one' } }
  const store = replica(1_000_000)
  await store.begin(question(mine))
  await pool.query(`UPDATE idempotency SET created_at = now() - interval '25 hours' WHERE principal = $1`, [mine.principal])
  expect(await store.seen(mine.principal, mine.idempotency)).toBeUndefined()
  expect(await store.begin(question({ ...mine, idempotency: { key: 'k', bodyHash: 'two' } }))).toMatchObject({ kind: 'new' })
  expect(await reserved()).toBe(200)
})

test('in a conversation of somebody else nothing is stored: no question, no key, no reservation', async () => {
  const store = replica(1_000_000)
  const theirs = question()
  await store.begin(theirs)
  const idempotency = { key: 'k', bodyHash: 'one' }
  const mine = question({ conversationId: theirs.conversationId, newConversation: false, idempotency })
  const plain = question({ conversationId: theirs.conversationId, newConversation: false })
  for (const answer of [mine, plain]) await expect(store.begin(answer)).rejects.toMatchObject({ code: 'not_found' })
  expect([await kept([mine, plain]), await reserved()]).toEqual([0, 100])
  expect(await store.seen(mine.principal, idempotency)).toBeUndefined()
})

test('answers that end while the text of all is kept, in another order, wait for each other and for no deadlock', async () => {
  const store = replica()
  const [endings, others, messages] = [createEndings(pool), createEndings(pool), createMessages(pool)]
  for (let round = 0; round < 15; round++) {
    const all = Array.from({ length: 60 }, () => question())
    await Promise.all(all.map((answer) => store.begin(answer)))
    const snapshot = () => messages.snapshot(all.map(({ answerId }) => ({ id: answerId, text: 'so far', lastEvent: 1 })))
    const ends = all.toReversed().map((answer, i) =>
      (i % 2 ? endings : others).save({
        answerId: answer.answerId,
        text: 'whole',
        state: 'done',
        lastEvent: 2,
        body: {},
        traceId: '',
        principal: answer.principal,
        question: answer.question,
        settingsVersion: 0,
        record: {},
        booking: { reservation: answer.reservation, requests: 1, input: 1, output: 1, money: 0 },
      }),
    )
    const [stored] = await Promise.all([Promise.all(ends), snapshot(), snapshot(), snapshot()])
    expect(stored.every(Boolean)).toBe(true)
  }
})
