import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { FakeEmbedder } from '@docent/models/fake/fake-embedder'

type Body = { input: string[]; kind: 'query' | 'passage'; model?: string }
export type EmbedderServer = AsyncDisposable & { url: string }

/** Fake embedders behind the embedder's HTTP door, for workers that are processes of their own. The first is asked where none is named. */
export async function startEmbedderServer(...embedders: [FakeEmbedder, ...FakeEmbedder[]]): Promise<EmbedderServer> {
  const server = createServer(async (req, res) => {
    const send = (status: number, body: unknown) => res.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
    const signal = AbortSignal.timeout(10_000)
    try {
      if (req.url === '/v1/models') {
        const offered = await Promise.all(embedders.map((embedder) => embedder.info(signal)))
        return send(200, { data: offered.map(({ model, dimension }) => ({ id: model, dimension })) })
      }
      const parts: Buffer[] = []
      for await (const part of req) parts.push(part as Buffer)
      const { input, kind, model } = JSON.parse(Buffer.concat(parts).toString('utf8')) as Body
      const models = await Promise.all(embedders.map((one) => one.info(signal)))
      const embedder = embedders[models.findIndex((one) => one.model === model)] ?? embedders[0]
      const vectors = kind === 'query' ? [await embedder.query(input[0]!, signal)] : await embedder.passages(input, signal)
      send(200, { data: vectors.map((vector, index) => ({ index, embedding: Buffer.from(vector.buffer).toString('base64') })) })
    } catch {
      if (!res.writableEnded) send(503, { code: 'unavailable', detail: 'The fake embedder is switched off.' })
    }
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise((done) => server.close(done))
    },
  }
}
