import { once } from 'node:events'
import { connect } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import express, { Router } from 'express'
import { expect, test } from 'vitest'
import { listen } from './http-app.ts'

const LONG_MS = 60_000

test('connections that nobody uses do not hold the end, a running request does', async () => {
  const asked = Promise.withResolvers<() => void>()
  const slow = Router().get('/slow', (_req, res) => {
    asked.resolve(() => void res.end('whole'))
  })
  const app = express()
    .use(Router().get('/quick', (_req, res) => void res.end('ok')))
    .use(slow)
  const door = await listen(app, { host: '127.0.0.1', port: 0, drainMs: LONG_MS })
  await (await fetch(`${door.url}/quick`)).text() // is kept alive by the client
  const silent = connect(door.port, '127.0.0.1') // never asks anything
  await once(silent, 'connect')
  const left = once(silent, 'close')
  const answer = fetch(`${door.url}/slow`)
  const finish = await asked.promise

  const started = performance.now()
  const closed = door[Symbol.asyncDispose]()
  await left
  expect(await Promise.race([closed.then(() => 'closed'), sleep(200, 'open')])).toBe('open')
  finish()
  expect(await (await answer).text()).toBe('whole')
  await closed
  expect(performance.now() - started).toBeLessThan(LONG_MS / 2)
})
