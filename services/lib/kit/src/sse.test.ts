import { once } from 'node:events'
import { connect } from 'node:net'
import { setTimeout as wait } from 'node:timers/promises'
import type { Response } from 'express'
import express from 'express'
import { expect, test } from 'vitest'
import { listen } from './http-app.ts'
import { type SseEvent, sendEvents } from './sse.ts'

const EVENTS = 2_000
const event = (id: number): SseEvent => ({ id, type: 'delta', data: { text: 'x'.repeat(10_000) } })

test('a reader that does not read holds little of a long stream in memory, and gets all of it when it does', async () => {
  const app = express()
  const opened = Promise.withResolvers<Response>()
  app.get('/', async (req, res) => {
    opened.resolve(res)
    await sendEvents(req, res, async function* () {
      yield Array.from({ length: EVENTS }, (_, i) => event(i + 1))
    })
  })
  await using server = await listen(app, { host: '127.0.0.1', port: 0 })
  const reader = connect(server.port, '127.0.0.1')
  await once(reader, 'connect')
  reader.pause()
  reader.write('GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n')
  const res = await opened.promise
  let held = 0
  // the kernel takes some megabytes; what waits behind it is ours
  for (let last = -1; held !== last || held === 0; ) {
    last = held
    await wait(100)
    held = res.writableLength
  }
  expect(held).toBeLessThan(1024 * 1024)

  let read = ''
  reader.setEncoding('utf8').on('data', (text: string) => {
    read += text
  })
  reader.resume()
  await once(reader, 'end')
  expect([...read.matchAll(/^id: (\d+)$/gm)].map(([, id]) => Number(id))).toEqual(Array.from({ length: EVENTS }, (_, i) => i + 1))
})
