import { randomUUID } from 'node:crypto'
import type { Answer } from '@docent/core/answer-event'
import { describe, expect, test } from 'vitest'
import { type MockUpstream, openMockUpstream } from '../../lib/testkit/src/mock-upstream.ts'
import { openOwnPostgres } from '../../lib/testkit/src/own-postgres.ts'
import { canMount, openSmallDisk } from '../../lib/testkit/src/small-disk.ts'
import { until } from '../../lib/testkit/src/until.ts'
import type { Gateway } from '../src/gateway-service.ts'
import {
  adminKey,
  allEvents,
  changeSettings,
  eventsOf,
  openPlace,
  openPool,
  type Place,
  post,
  type Received,
  startAt,
  textOf,
} from './harness.ts'

const owner = { authorization: `Bearer ${adminKey}` }

type Fault = { begin(): Promise<void> | void; end(): Promise<void> | void }
type Health = { checks: { postgres: { ok: boolean; detail?: string } } }

/**
 * What must hold while the database has no room and after it: a running answer goes on to its reader and is stored afterwards, by its own
 * process; new questions are refused in so many words or kept; what is stored can be read; /readyz says so; nothing is restarted.
 */
async function outlive(scope: AsyncDisposableStack, place: Place, model: MockUpstream, fault: Fault): Promise<void> {
  const env = { LLM_BASE_URL: model.url, LLM_MODEL: 'mock', STREAM_FLUSH_MS: '20', DAILY_TOKEN_BUDGET: '10000000' }
  // the other one takes answers without a sign of life for those of the dead, sooner than in production
  const sweeping = { orphanMs: 1_200, sweepMs: 100, settleMs: 700, snapshotMs: 200 }
  const [gateway, other] = [await startAt(place, scope, env, sweeping), await startAt(place, scope, env, sweeping)]
  const ask = (question: string, at = gateway) =>
    post(`${at.url}/api/v1/answers`, { question, onDisconnect: 'detach' }, { accept: 'text/event-stream' })
  const stored = async (id: string, at = other) => (await (await fetch(`${at.url}/api/v1/answers/${id}`)).json()) as Answer
  const ready = async (at: Gateway) => {
    const response = await fetch(`${at.url}/readyz`)
    return { status: response.status, ...((await response.json()) as Health).checks.postgres }
  }
  // the model is asked once a question and for nothing else
  await changeSettings(gateway, { summaries: false })
  const before = await allEvents(await ask(`之前 ${randomUUID()}`))
  const idOf = (events: readonly Received[]) => (events[0]!.data as { answerId: string }).answerId
  model.mode = 'slow'
  model.pieceMs = 20
  model.pieces = Array.from({ length: 250 }, (_, i) => `词${i}😀 `)

  const events: Received[] = []
  const kept: { question: string; read: Promise<Received[]> }[] = []
  let full: Promise<void> | undefined
  for await (const event of eventsOf(await ask(`长的 ${randomUUID()}`))) {
    events.push(event)
    if (!full && textOf(events).includes('词20')) full = whileFull()
  }
  await full

  async function whileFull(): Promise<void> {
    await fault.begin()
    // until its files have to grow some more fit in; those are kept like any other
    const refused = await until('a question is refused', async () => {
      const question = `没有空间 ${randomUUID()} ${'长'.repeat(2_000)}`
      const response = await ask(question)
      if (response.status !== 200) return response
      kept.push({ question, read: allEvents(response) })
    })
    expect(refused.status).toBe(503)
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0)
    expect(await refused.json()).toMatchObject({ code: 'unavailable', detail: expect.stringMatching(/no space|does not answer/) as string })
    const seen = await until('/readyz says so', async () => {
      const postgres = await ready(gateway)
      return postgres.status === 503 ? postgres : undefined
    })
    expect(seen.ok).toBe(false)
    expect(await gateway.metrics.metrics()).toMatch(/docent_dependency_up\{dependency="postgres",service="gateway"\} 0/)
    expect((await fetch(`${gateway.url}/healthz`)).status).toBe(200)
  }

  // the reader saw all of it, though nothing could be written
  expect(events.map(({ id }) => id)).toEqual(events.map((_, i) => i + 1))
  expect([events.at(-1)!.type, textOf(events)]).toEqual(['done', model.pieces.join('')])
  expect((await ready(gateway)).status).toBe(503)
  model.pieces = ['短']
  await fault.end()
  const back = performance.now()
  await until('/readyz is well again', async () => (await ready(gateway)).status === 200)
  const after = await until('questions are answered', async () => {
    const response = await ask(`之后 ${randomUUID()}`)
    return response.status === 200 ? allEvents(response) : undefined
  })
  expect(performance.now() - back).toBeLessThan(10_000)
  const end = await until('the long one is stored', async () => {
    const answer = await stored(idOf(events))
    return answer.state === 'streaming' ? undefined : answer
  })
  expect(end).toMatchObject({ state: 'done', text: textOf(events) })
  expect(await allEvents(await fetch(`${other.url}/api/v1/answers/${idOf(events)}/events`))).toEqual(events)

  const all = [before, events, after, ...(await Promise.all(kept.map(({ read }) => read)))]
  const pool = openPool(place.ownerUrl)
  scope.defer(() => pool.end())
  await until('all are stored, none is left open', async () => {
    const { rows } = await pool.query<{ n: number }>(`SELECT count(*)::int AS n FROM chat.message WHERE state = 'streaming'`)
    return rows[0]!.n === 0
  })
  for (const each of all) {
    expect(await stored(idOf(each))).toMatchObject({ state: 'done', text: textOf(each) })
    const record = await fetch(`${other.url}/api/v1/records/${idOf(each)}`, { headers: owner })
    expect(await record.json()).toMatchObject({ record: { state: 'done' } })
  }
  const { rows } = await pool.query(
    `SELECT (SELECT count(*)::int FROM chat.message WHERE role = 'question') AS questions, (SELECT count(*)::int FROM chat.record) AS records,
       (SELECT requests FROM chat.usage WHERE principal = '*') AS requests, (SELECT reserved_tokens::int FROM chat.usage WHERE principal = '*') AS reserved`,
  )
  expect(rows).toEqual([{ questions: all.length, records: all.length, requests: all.length, reserved: 0 }])
  expect(model.requests.length).toBe(all.length)
}

// each has stores and gateways of its own, and waits most of the time: side by side
test.concurrent('a database that refuses writes for want of room (53100): what runs goes on, what is new is refused, and all is well when there is room', async () => {
  await using scope = new AsyncDisposableStack()
  const place = await openPlace(scope)
  const model = scope.use(await openMockUpstream())
  const pool = openPool(place.ownerUrl)
  scope.defer(() => pool.end())
  await pool.query(`CREATE FUNCTION chat.no_room() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN RAISE EXCEPTION 'could not extend file: No space left on device' USING ERRCODE = 'disk_full'; END $$`)
  const tables = ['conversation', 'message', 'record', 'citation', 'usage', 'idempotency']
  // one by one: all locked at once would be a deadlock with what is being written
  const each = async (sql: (table: string) => string) => {
    for (const table of tables) await pool.query(sql(table))
  }
  await outlive(scope, place, model, {
    begin: () =>
      each((table) => `CREATE TRIGGER no_room BEFORE INSERT OR UPDATE ON chat.${table} FOR EACH ROW EXECUTE FUNCTION chat.no_room()`),
    end: () => each((table) => `DROP TRIGGER no_room ON chat.${table}`),
  })
})

describe.skipIf(!canMount)(canMount ? 'on a disk of its own' : 'on a disk of its own, for nothing may be mounted here', () => {
  test.concurrent('Postgres without a byte left on its disk: the same', async () => {
    await using scope = new AsyncDisposableStack()
    const disk = openSmallDisk(scope, 160)
    const postgres = await openOwnPostgres(scope, disk.path)
    const place = await openPlace(scope, { databaseUrl: postgres.url })
    const model = scope.use(await openMockUpstream())
    // what Postgres frees meanwhile is taken, too
    let filling: NodeJS.Timeout | undefined
    const end = () => {
      clearInterval(filling)
      disk.free()
    }
    scope.defer(end)
    await outlive(scope, place, model, {
      begin() {
        disk.fill()
        filling = setInterval(disk.fill, 50)
      },
      end,
    })
  })
})
