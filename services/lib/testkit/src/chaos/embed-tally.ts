import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Embedder } from '@docent/models/embedder'

export type Repeats = { embedded: number; distinct: number; lostByKill: number; atOnce: number; forgotten: number; without: string[] }
type Batch = { life: number; at: number; texts: readonly string[] }

// what a kill may take before it is saved: a batch of each of two jobs, and those of the last moments
const JOBS = 2
const SAVED_MS = 3_000
// two jobs that began before either had saved a text both embed it; longer ago it had been saved
const AT_ONCE_MS = 30_000

/** The embedder's door, one address per life of a worker, with every batch written down. */
export async function startEmbedTally(embedder: Embedder, scope: AsyncDisposableStack) {
  const batches: Batch[] = []
  const killed = new Map<number, number>()
  const server = createServer(async (req, res) => {
    const send = (status: number, body: unknown) => res.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
    const [, life = '', route = ''] = /^\/life-(\d+)(\/.*)$/.exec(req.url ?? '') ?? []
    const signal = AbortSignal.timeout(120_000)
    try {
      if (route === '/v1/models') {
        const { model, dimension } = await embedder.info(signal)
        return send(200, { data: [{ id: model, dimension }] })
      }
      const parts: Buffer[] = []
      for await (const part of req) parts.push(part as Buffer)
      const { input, kind } = JSON.parse(Buffer.concat(parts).toString('utf8')) as { input: string[]; kind: 'query' | 'passage' }
      if (kind === 'passage') batches.push({ life: Number(life), at: performance.now(), texts: input })
      const vectors = kind === 'query' ? [await embedder.query(input[0]!, signal)] : await embedder.passages(input, signal)
      send(200, {
        data: vectors.map((vector, index) => ({
          index,
          embedding: Buffer.from(vector.buffer, vector.byteOffset, vector.byteLength).toString('base64'),
        })),
      })
    } catch (error) {
      if (!res.writableEnded) send(503, { code: 'unavailable', detail: String(error) })
    }
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  scope.defer(async () => {
    server.closeAllConnections()
    await new Promise((closed) => server.close(closed))
  })
  const { port } = server.address() as AddressInfo

  return {
    urlOf: (life: number) => `http://127.0.0.1:${port}/life-${life}`,
    killed: (life: number) => void killed.set(life, performance.now()),
    /**
     * Texts embedded more than once, and why that was needed; `without` holds those for which there is no reason. `gone` says when the
     * vector of a text (sha256) left with the last document that held it, in ms since 1970.
     */
    repeats(gone: ReadonlyMap<string, readonly number[]>): Repeats {
      const inFlight = new Set(
        [...killed].flatMap(([life, at]) => {
          const own = batches.filter((batch) => batch.life === life)
          return own.filter((batch, i) => i >= own.length - JOBS || at - batch.at < SAVED_MS)
        }),
      )
      const last = new Map<string, Batch>()
      const found: Repeats = { embedded: 0, distinct: 0, lostByKill: 0, atOnce: 0, forgotten: 0, without: [] }
      for (const batch of batches)
        for (const text of batch.texts) {
          found.embedded++
          const before = last.get(text)
          if (!before) found.distinct++
          else if (inFlight.has(before)) found.lostByKill++
          else if (batch.at - before.at < AT_ONCE_MS) found.atOnce++
          else if (isGone(text, before.at, batch.at)) found.forgotten++
          else found.without.push(text)
          last.set(text, batch)
        }
      return found

      function isGone(text: string, after: number, until: number): boolean {
        const times = gone.get(createHash('sha256').update(text).digest('hex')) ?? []
        return times.some((at) => at > performance.timeOrigin + after && at < performance.timeOrigin + until)
      }
    },
  }
}
