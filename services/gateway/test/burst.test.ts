import { randomUUID } from 'node:crypto'
import { afterAll, expect, test } from 'vitest'
import { openMockUpstream } from '../../lib/testkit/src/mock-upstream.ts'
import { until } from '../../lib/testkit/src/until.ts'
import { startChild } from './child.ts'
import { allEvents, openPlace, openPool, post, textOf } from './harness.ts'

const scope = new AsyncDisposableStack()
afterAll(() => scope.disposeAsync())

/** Fifty questions at once to a gateway that has just started; with `held` its database takes none of them until one was refused. */
async function burst(held: boolean) {
  const place = await openPlace(scope)
  const model = scope.use(await openMockUpstream())
  const { url } = await startChild(place, scope, { LLM_BASE_URL: model.url, LLM_MODEL: 'mock' })
  const pool = scope.adopt(openPool(place.ownerUrl), (open) => open.end())
  const questions = Array.from({ length: 50 }, () => `涌来 ${randomUUID()}`)
  const client = await pool.connect()
  await client.query('BEGIN')
  if (held) await client.query('LOCK TABLE chat.message IN ACCESS EXCLUSIVE MODE')
  let isHeld = true
  const letGo = () => {
    if (isHeld) void client.query('COMMIT')
    isHeld = false
  }
  if (!held) letGo()
  const replies = await Promise.all(
    questions.map(async (question) => {
      const response = await post(`${url}/api/v1/answers`, { question, async: true })
      if (response.status !== 202) letGo()
      return { question, status: response.status, retry: response.headers.get('retry-after'), body: (await response.json()) as Reply }
    }),
  )
  letGo()
  client.release()
  for (const { question, status, body, retry } of replies) {
    const { rowCount: kept } = await pool.query('SELECT FROM chat.message WHERE text = $1', [question])
    if (status === 202) {
      const events = await allEvents(await fetch(`${url}${body.eventsUrl}`))
      expect(events.at(-1)).toMatchObject({ type: 'done' })
      expect(textOf(events)).toBe(model.pieces.join(''))
      const { citationId } = events.flatMap((event) => (event.type === 'sources' ? event.data.sources : []))[0]!
      expect((await fetch(`${url}/api/v1/citations/${citationId}`)).status).toBe(200)
      expect(kept).toBe(1)
    } else {
      expect({ status, code: body.code, retry, kept }).toEqual({ status: 503, code: 'unavailable', retry: '2', kept: 0 })
    }
  }
  await until('nothing is left reserved', async () => {
    const { rows } = await pool.query<{ left: string }>('SELECT coalesce(sum(reserved_tokens), 0)::text AS left FROM chat.usage')
    return rows[0]!.left === '0' || undefined
  })
  return Map.groupBy(replies, ({ status }) => status)
}
type Reply = { eventsUrl: string; code?: string }

test('fifty questions at once to a gateway that has just started are all acknowledged', { timeout: 120_000 }, async () => {
  expect((await burst(false)).get(202)).toHaveLength(50)
})

test('while the database holds them up, fifty at once are acknowledged or refused in so many words; none is lost', {
  timeout: 120_000,
}, async () => {
  // eight have a connection and wait for the database, the others for a connection, 3 s at most
  expect((await burst(true)).get(503)!.length).toBeGreaterThan(0)
})

test('sources whose storing failed at first are stored with the end of their answer', async () => {
  const place = await openPlace(scope)
  const { url } = await startChild(place, scope)
  const pool = scope.adopt(openPool(place.ownerUrl), (open) => open.end())
  await pool.query('CREATE SEQUENCE chat.attempts; GRANT USAGE ON chat.attempts TO PUBLIC')
  await pool.query(`CREATE FUNCTION chat.refuse_first() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN IF nextval('chat.attempts') = 1 THEN RAISE EXCEPTION 'not now'; END IF; RETURN NEW; END $$`)
  await pool.query('CREATE TRIGGER refuse_first BEFORE INSERT ON chat.citation FOR EACH ROW EXECUTE FUNCTION chat.refuse_first()')
  const answer = (await (await post(`${url}/api/v1/ask`, { question: '保修期是多久？' })).json()) as { sources: { citationId: string }[] }
  expect((await fetch(`${url}/api/v1/citations/${answer.sources[0]!.citationId}`)).status).toBe(200)
  expect((await pool.query<{ last_value: string }>('SELECT last_value FROM chat.attempts')).rows[0]!.last_value).not.toBe('1')
})
