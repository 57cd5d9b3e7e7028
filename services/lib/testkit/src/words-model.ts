import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createFakeEmbedder } from '@docent/models/fake/fake-embedder'

/** An OpenAI-compatible embedding model that knows words and no meaning; its base URL. */
export async function openWordsModel(scope: AsyncDisposableStack, dimension = 48): Promise<string> {
  const model = createFakeEmbedder({ dimension })
  const server = createServer(async (req, res) => {
    const parts: Buffer[] = []
    for await (const part of req) parts.push(part as Buffer)
    const { input } = JSON.parse(Buffer.concat(parts).toString('utf8')) as { input: string[] }
    const vectors = await model.passages(input, AbortSignal.timeout(5_000))
    const data = vectors.map((vector, index) => ({ object: 'embedding', index, embedding: [...vector] }))
    res.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ data, usage: { prompt_tokens: 1, total_tokens: 1 } }))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  scope.defer(() => {
    server.closeAllConnections()
    server.close()
  })
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`
}
