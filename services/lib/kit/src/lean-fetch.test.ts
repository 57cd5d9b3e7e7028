import { once } from 'node:events'
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, expect, test } from 'vitest'
import { leanFetch } from './lean-fetch.ts'

const scope = new AsyncDisposableStack()
afterAll(() => scope.disposeAsync())

function eachOf({ body }: Response, hear: (part: Buffer) => boolean): Promise<boolean> {
  return (body as unknown as { each(hear: (part: Buffer) => boolean): Promise<boolean> }).each(hear)
}

async function serve(answer: RequestListener) {
  const server = createServer(answer)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  scope.defer(async () => {
    server.closeAllConnections()
    await new Promise((done) => server.close(done))
  })
  return { server, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` }
}

test('status, headers and body as fetch gives them; a redirect is followed', async () => {
  const { url } = await serve(async (req, res) => {
    if (req.url === '/old') return void res.writeHead(307, { location: '/new' }).end()
    let body = ''
    for await (const part of req) body += String(part)
    res
      .writeHead(418, { 'x-one': 'a', 'x-two': ['b', 'c'], 'content-type': 'application/json' })
      .end(JSON.stringify({ method: req.method, body }))
  })
  for (const path of ['/new', '/old']) {
    const response = await leanFetch(url + path, { method: 'POST', body: 'täxt', headers: { 'content-type': 'text/plain' } })
    expect([response.status, response.ok, response.headers.get('X-One'), response.headers.get('x-two')]).toEqual([418, false, 'a', 'b, c'])
    expect([response.headers.get('x-three'), response.headers.has('x-three'), response.headers.has('X-Two')]).toEqual([null, false, true])
    expect([...response.headers.entries()]).toEqual(expect.arrayContaining([...new Headers({ 'x-one': 'a', 'x-two': 'b, c' })]))
    expect(await response.json()).toEqual({ method: 'POST', body: 'täxt' })
  }
})

test('who leaves a body early keeps the connection when the rest comes', async () => {
  let connections = 0
  let closed = 0
  const { server, url } = await serve((_req, res) => {
    res.write('first')
    setImmediate(() => res.end('rest'))
  })
  server.on('connection', (socket) => {
    connections++
    socket.on('close', () => closed++)
  })
  for (let i = 0; i < 3; i++) {
    const response = await leanFetch(url)
    const heard: string[] = []
    expect(await eachOf(response, (part) => heard.push(part.toString()) === 0)).toBe(false)
    expect(heard).toEqual([expect.stringContaining('first')])
  }
  const again = async () => {
    const before = connections
    await (await leanFetch(url)).text()
    return connections - before
  }
  await expect.poll(again).toBe(0)
  expect(closed).toBe(0)
})

test('an abort ends it at any time, with its reason; a connection that breaks is an error', async () => {
  const { url } = await serve((req, res) => {
    if (req.url === '/silent') return
    res.write('first')
    if (req.url === '/cut') setImmediate(() => res.destroy())
  })
  const reason = new Error('enough')
  for (const path of ['/silent', '/endless']) {
    const left = new AbortController()
    const reading = (async () => {
      const response = await leanFetch(url + path, { signal: left.signal })
      await eachOf(response, () => {
        left.abort(reason)
        return true
      })
    })()
    if (path === '/silent') setImmediate(() => left.abort(reason))
    await expect(reading).rejects.toThrow('enough')
  }
  const cut = await leanFetch(`${url}/cut`)
  await expect(cut.text()).rejects.toThrow()
  await expect(leanFetch('http://127.0.0.1:1/')).rejects.toThrow('fetch failed')
})

test('what comes before somebody listens is kept, and a long body waits at the other side', async () => {
  const megabytes = 32
  let isSent = false
  const { url } = await serve((_req, res) => {
    res.end(Buffer.alloc(megabytes * 1024 * 1024, 'x'))
    res.on('finish', () => {
      isSent = true
    })
  })
  const response = await leanFetch(url)
  await new Promise((done) => setTimeout(done, 100)) // whether it waits cannot be awaited
  expect(isSent).toBe(false)
  expect((await response.text()).length).toBe(megabytes * 1024 * 1024)
})

test('what a listener throws ends the reading with it', async () => {
  const { url } = await serve((_req, res) => void res.write('first'))
  const mistake = () => {
    throw new Error('a mistake')
  }
  await expect(eachOf(await leanFetch(url), mistake)).rejects.toThrow('a mistake')
})
