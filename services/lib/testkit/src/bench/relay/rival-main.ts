import { Agent, createServer, type IncomingMessage, request, type ServerResponse } from 'node:http'
import express from 'express'
import OpenAI from 'openai'

// What a gateway is compared with: RIVAL=pipe hands bytes through on bare node:http, RIVAL=sdk is what is usually written: Express and
// the openai client, an object per token, each encoded again and written by itself. Neither keeps anything.
const model = process.env.MODEL ?? ''
const upstream = new URL(`${process.env.UPSTREAM}/v1/chat/completions`)
const agent = new Agent({ keepAlive: true })
const client = new OpenAI({ baseURL: `${process.env.UPSTREAM}/v1`, apiKey: 'none' })

function pipe(_req: IncomingMessage, res: ServerResponse): void {
  const body = JSON.stringify({ model, stream: true, messages: [{ role: 'user', content: 'bench' }] })
  const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) }
  request(upstream, { agent, method: 'POST', headers }, (answer) => {
    res.writeHead(200, { 'content-type': 'text/event-stream' })
    answer.pipe(res)
  }).end(body)
}

async function sdk(_req: IncomingMessage, res: ServerResponse): Promise<void> {
  const stream = await client.chat.completions.create({ model, stream: true, messages: [{ role: 'user', content: 'bench' }] })
  res.writeHead(200, { 'content-type': 'text/event-stream' })
  for await (const chunk of stream) res.write(`data: ${JSON.stringify(chunk)}\n\n`)
  res.end('data: [DONE]\n\n')
}

const piping = createServer((req, res) => {
  if (req.url === '/readyz') return void res.end('ok')
  req.resume()
  req.on('end', () => pipe(req, res))
})
const app = express()
  .use(express.json())
  .get('/readyz', (_req, res) => void res.send('ok'))
  .post('/v1/chat/completions', sdk)
const server = process.env.RIVAL === 'sdk' ? createServer(app) : piping
server.listen(Number(process.env.PORT), process.env.HOST)
process.once('SIGTERM', () => process.exit(0))
