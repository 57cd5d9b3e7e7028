import { Readable } from 'node:stream'
import type { Chunk } from '@docent/core/chunk'
import { Locator } from '@docent/core/document'
import { askJson, internalHeaders } from '@docent/kit/internal'
import type { Request } from 'express'
import { z } from 'zod'

const FileText = z.object({
  name: z.string(),
  mediaType: z.string(),
  title: z.string().optional(),
  pages: z.number().int().optional(),
  characters: z.number().int(),
  chunks: z.array(
    z.object({
      ordinal: z.number().int(),
      text: z.string(),
      header: z.string(),
      locator: Locator,
      parent: z.object({ start: z.number().int(), end: z.number().int(), text: z.string() }),
    }),
  ),
})
export type FileText = Omit<z.infer<typeof FileText>, 'chunks'> & {
  chunks: Pick<Chunk, 'ordinal' | 'text' | 'header' | 'locator' | 'parent'>[]
}

const READ_MS = 120_000

/** Streams a multipart body to ingest, which reads its one file and keeps nothing. Errors: ingest's, as of an upload. */
export function readFileOf(
  req: Request,
  ingest: string,
  token: string,
  limits: { maxBytes: number; maxChunks: number },
): Promise<FileText> {
  const url = `${ingest}/read?maxBytes=${limits.maxBytes}&maxChunks=${limits.maxChunks}`
  const { requestId, traceId } = req
  const headers = {
    'content-type': req.get('content-type') ?? '',
    ...internalHeaders(token, { id: 'reader', kind: 'anonymous', scopes: [] }, { requestId, traceId }),
  }
  const init = { method: 'POST', headers, body: Readable.toWeb(req), duplex: 'half', timeoutMs: READ_MS }
  return askJson(url, init as unknown as RequestInit & { timeoutMs: number }, (body) => FileText.parse(body))
}
