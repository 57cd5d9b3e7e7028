import { randomUUID } from 'node:crypto'
import { setTimeout as wait } from 'node:timers/promises'
import { freePort } from '@docent/kit/free-port'
import { EventSource } from 'eventsource'
import { afterAll, expect, test } from 'vitest'
import { nginxCommand } from '../../lib/testkit/assets/programs.ts'
import { openMockUpstream } from '../../lib/testkit/src/mock-upstream.ts'
import { startNginx } from '../../lib/testkit/src/start-nginx.ts'
import { until } from '../../lib/testkit/src/until.ts'
import { startChild } from './child.ts'
import { finals, names } from './follow.ts'
import { allEvents, eachOf, openPlace, post, startAt, textOf } from './harness.ts'

/** `npm run faults -- --answers N` sets it; then the clocks are those of production. */
const wanted = Number(process.env.FAULT_ANSWERS ?? 0)
const resumed = wanted || 30
const AT_ONCE = 40
const pieces = Array.from({ length: 120 }, (_, i) => `词${i}😀 `)
type Stored = { state: string; text: string }

const scope = new AsyncDisposableStack()
afterAll(() => scope.disposeAsync())

test(`${resumed} resumed answers, two replicas behind nginx, killed at random: each ends once, with the stored text`, {
  timeout: 90_000 + resumed * 3_000,
}, async ({ task }) => {
  const started = performance.now()
  const place = await openPlace(scope)
  const model = scope.use(await openMockUpstream({ mode: 'slow', pieceMs: 15, pieces }))
  const ports = [await freePort(), await freePort()]
  const env = { LLM_BASE_URL: model.url, LLM_MODEL: 'mock', STREAM_FLUSH_MS: '20', TRUST_PROXY: '1', DAILY_TOKEN_BUDGET: '0' }
  const start = (i: number) => startChild(place, scope, { ...env, PORT: String(ports[i]) })
  const replicas = await Promise.all([start(0), start(1)])
  const nginx = await startNginx(nginxCommand(), ports, scope)
  // a small run does not wait for production's 15 s until an owner counts as dead
  if (!wanted) await startAt(place, scope, env, { orphanMs: 5_000, sweepMs: 300, settleMs: 1_500 })

  const over = new AbortController()
  let kills = 0
  const killing = replicas.map(async (first, i) => {
    for (let replica = first; ; replica = await start(i)) {
      await wait(1_000 + Math.random() * 8_000, undefined, { signal: over.signal }).catch(() => undefined)
      if (over.signal.aborted) return
      replica.process.kill('SIGKILL')
      await replica.exited
      kills++
      await wait(Math.random() * 2_000)
    }
  })

  const counts = { answers: 0, resumed: 0, resumes: 0, done: 0, interrupted: 0, posts: 0 }
  const asked: { question: string; answerId: string; read: Read }[] = []
  const ask = async () => {
    const question = `乱杀 ${randomUUID()}`
    const headers = { 'idempotency-key': randomUUID(), 'x-client-id': randomUUID() }
    const { answerId, eventsUrl } = await until(
      'the question is acknowledged',
      async () => {
        counts.posts++
        const sent = await post(`${nginx.url}/api/v1/answers`, { question, async: true }, headers).catch(() => undefined)
        if (sent?.status === 202) return (await sent.json()) as { answerId: string; eventsUrl: string }
        await sent?.body?.cancel()
        return undefined
      },
      60_000,
    )
    const read = await readAll(nginx.url + eventsUrl)
    asked.push({ question, answerId, read })
    if (read.resumes > 0) counts.resumed++
  }
  // an answer that was killed before its reader went away is read in one go: it is checked too, and another one is asked
  while (counts.resumed < resumed) await eachOf(Array.from({ length: resumed - counts.resumed }), AT_ONCE, ask)
  over.abort()
  await Promise.all(killing)

  const calls = Map.groupBy(model.requests, ({ messages }) => /乱杀 \S+/.exec(messages.at(-1)!.content)?.[0])
  for (const [i, { question, answerId, read }] of asked.entries()) {
    const { events } = read
    const stored = (await (await fetch(`http://127.0.0.1:${ports[i % 2]}/api/v1/answers/${answerId}`)).json()) as Stored
    expect(events.map(({ id }) => id)).toEqual(events.map((_, i) => i + 1))
    expect(events.filter(({ type }) => finals.includes(type)).map(({ type }) => type)).toEqual([stored.state])
    expect(read.text).toBe(stored.text)
    if (stored.state === 'done') expect(stored.text).toBe(pieces.join(''))
    else expect(stored.state === 'interrupted' && pieces.join('').startsWith(stored.text)).toBe(true)
    expect(calls.get(question)?.length ?? 0).toBeLessThanOrEqual(1)
    counts[stored.state as 'done' | 'interrupted']++
    counts.resumes += read.resumes
  }
  // whoever comes later, to the other replica, is shown the same; not through nginx, which lets one address have 50 requests a second
  await eachOf([...asked.entries()], 8, async ([i, { answerId, read }]) => {
    const again = await allEvents(await fetch(`http://127.0.0.1:${ports[(i + 1) % 2]}/api/v1/answers/${answerId}/events`))
    expect(textOf(again)).toBe(read.text)
    expect(again.map(({ id, type }) => ({ id, type }))).toEqual(read.events)
  })
  counts.answers = asked.length
  expect(counts.resumed).toBeGreaterThanOrEqual(resumed)
  Object.assign(task.meta, { answers: { ...counts, kills, seconds: Math.round((performance.now() - started) / 1_000) } })
})

type Read = { events: { id: number; type: string }[]; text: string; resumes: number }

/**
 * The unmodified EventSource, until it closes itself. Its reader also goes away once, after some random event, and comes back
 * by `?after=`, so that answers no kill met are resumed too.
 */
function readAll(url: string): Promise<Read> {
  const read: Read = { events: [], text: '', resumes: 0 }
  const leaveAt = 1 + Math.floor(Math.random() * 40)
  const { promise, resolve } = Promise.withResolvers<Read>()
  let connection = 0
  let lastSeenOn = 1
  const open = (from: string) => {
    const source = new EventSource(from)
    source.addEventListener('open', () => connection++)
    for (const name of names) {
      source.addEventListener(name, (event) => {
        // an EventSource's own trouble is an `error` event too, without data
        if (event.data === undefined) return void (source.readyState === EventSource.CLOSED && resolve(read))
        if (source.readyState === EventSource.CLOSED) return // this package tells the rest of a chunk in which it was closed; a browser does not
        if (lastSeenOn !== connection && read.events.length > 0) read.resumes++
        lastSeenOn = connection
        read.events.push({ id: Number(event.lastEventId), type: name })
        if (name === 'delta') read.text += (JSON.parse(event.data) as { text: string }).text
        if (read.events.length === leaveAt && !finals.includes(name)) {
          source.close()
          open(`${url}?after=${event.lastEventId}`)
        }
      })
    }
  }
  open(url)
  return promise
}
