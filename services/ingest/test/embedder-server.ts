import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { FakeEmbedder } from '@docent/models/fake/fake-embedder'

export type EmbedderServer = AsyncDisposable & { url: string }

/** A fake embedder behind the embedder's HTTP door, for workers that are processes of their own. */
export async function startEmbedderServer(embedder: FakeEmbedder): Promise<EmbedderServer> {
  const server = createServer(async (req, res) => {
    const send = (status: number, body: unknown) => res.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
    const signal = AbortSignal.timeout(10_000)
    try {
      if (req.url === '/v1/models') {
        const { model, dimension } = await embedder.info(signal)
        return send(200, { data: [{ id: model, dimension }] })
      }
      const parts: Buffer[] = []
      for await (const part of req) parts.push(part as Buffer)
      const { input, kind } = JSON.parse(Buffer.concat(parts).toString('utf8')) as { input: string[]; kind: 'query' | 'passage' }
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
