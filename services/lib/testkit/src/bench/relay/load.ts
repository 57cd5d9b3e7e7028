import { Agent, type IncomingMessage, request } from 'node:http'
import { request as requestSecurely, Agent as SecureAgent } from 'node:https'
import { setTimeout as sleep } from 'node:timers/promises'

const agent = new Agent({ keepAlive: true, maxSockets: Number.POSITIVE_INFINITY })
// of an nginx that signs its certificate itself
const secureAgent = new SecureAgent({ keepAlive: true, maxSockets: Number.POSITIVE_INFINITY, rejectUnauthorized: false })
let asked = Date.now() // stores that are given may hold cached answers of an earlier run

export type Door = { url: string; path: string; body: () => object }
export type Told = { firstMs: number; totalMs: number; text: string; answerId: string | undefined }

/** The gateway's own stream, with a question nobody has asked. */
export function gatewayDoor(url: string, question = () => `How long is the warranty of model ${++asked}?`): Door {
  return { url, path: '/api/v1/answers', body: () => ({ question: question(), onDisconnect: 'detach' }) }
}
/** A server that speaks OpenAI's stream. */
export function plainDoor(url: string, model = ''): Door {
  return { url, path: '/v1/chat/completions', body: () => ({ model, stream: true, messages: [{ role: 'user', content: 'bench' }] }) }
}

/** Asks and reads to the end; bytes are looked at for their first text only, the rest is parsed when all has come. */
export function ask(door: Door, onFirst?: () => void): Promise<Told> {
  const body = JSON.stringify(door.body())
  const started = performance.now()
  const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body), accept: 'text/event-stream' }
  return new Promise((told, failed) => {
    const target = new URL(door.path, door.url)
    const answered = (res: IncomingMessage) => {
      const parts: Buffer[] = []
      let firstMs = Number.NaN
      res.on('data', (bytes: Buffer) => {
        parts.push(bytes)
        if (!Number.isNaN(firstMs) || !(bytes.includes('event: delta') || bytes.includes('"content"'))) return
        firstMs = performance.now() - started
        onFirst?.()
      })
      res.on('end', () => {
        const totalMs = performance.now() - started
        const all = Buffer.concat(parts).toString('utf8')
        if (res.statusCode !== 200) return failed(new Error(`${door.url} answered ${res.statusCode}: ${all.slice(0, 200)}`))
        told({ firstMs, totalMs, text: textOf(all), answerId: /"answerId":"([^"]+)"/.exec(all)?.[1] })
      })
      res.on('error', failed)
    }
    const req =
      target.protocol === 'https:'
        ? requestSecurely(target, { agent: secureAgent, method: 'POST', headers }, answered)
        : request(target, { agent, method: 'POST', headers }, answered)
    req.on('error', failed)
    req.end(body)
  })
}

function textOf(stream: string): string {
  let text = ''
  for (const line of stream.split('\n')) {
    if (!line.startsWith('data: {')) continue
    const data = JSON.parse(line.slice(6)) as { text?: string; choices?: { delta?: { content?: string } }[] }
    text += data.text ?? data.choices?.[0]?.delta?.content ?? ''
  }
  return text
}

/** `count` questions, `atOnce` at a time; throws when a text is not that of the model. */
export async function crowd(door: Door, count: number, atOnce: number, tokens: number, apartMs = 0): Promise<Told[]> {
  const all: Told[] = []
  // connections of an earlier crowd may be closed by the other side just as they are used again
  for (const idle of [agent.freeSockets, secureAgent.freeSockets]) for (const socket of Object.values(idle).flat()) socket?.destroy()
  let left = count
  const wanted = Array.from({ length: tokens }, (_, i) => `词${i} `).join('')
  const work = async (_: unknown, i: number) => {
    await sleep(i * apartMs)
    while (left-- > 0) {
      const told = await ask(door)
      if (told.text !== wanted) throw new Error(`${door.url} told another text: ${told.text.slice(0, 80)}…`)
      all.push(told)
    }
  }
  // all of them end before one that failed is told
  const ends = await Promise.allSettled(Array.from({ length: atOnce }).map(work))
  const failed = ends.find(({ status }) => status === 'rejected')
  if (failed?.status === 'rejected') throw failed.reason
  return all
}

/** As a server is that has been running for a while: its code compiled. */
export async function warm(door: Door, atOnce: number, tokens: number): Promise<void> {
  await crowd(door, 1_500, atOnce, tokens)
}
