import { AppError } from '@docent/core/errors'
import { parse } from '@docent/kit/parse'
import { type Request, Router } from 'express'
import { z } from 'zod'
import { chunkDocument } from '../chunk/chunk.ts'
import type { CurrentChunking } from '../chunk/current-chunking.ts'
import type { Extractor } from '../extract-client.ts'
import { wellFormed } from '../jobs/index-document.ts'
import { type Limit, receiveOne } from './upload.ts'

const Limits = {
  query: z.object({
    maxBytes: z.coerce.number().int().min(1).max(2_000_000_000).default(2_000_000_000),
    maxChunks: z.coerce.number().int().min(1).max(100_000).default(100_000),
  }),
}
const AT_ONCE = 2
const COMING = 16
const READ_MS = 60_000

/** POST /read: one file's text in chunks, as those of a document; no row, no vector and no file of it is kept here. */
export function readRouter(deps: { extractor: Extractor; chunking: CurrentChunking; folder: string; maxFileBytes: number }): Router {
  const router = Router()
  let coming = 0
  let reading = 0

  router.post('/read', async (req, res) => {
    const { query } = parse(Limits, req)
    const left = new AbortController()
    res.on('close', () => left.abort())
    const seen = await read(req, query.maxBytes, left.signal)
    const chunks = chunkDocument(seen, await deps.chunking.find())
    if (chunks.length === 0) throw new AppError('empty', 'The file holds no text.')
    if (chunks.length > query.maxChunks)
      throw new AppError('too_large', `The file has ${chunks.length} passages; ${query.maxChunks} are taken here. Send a part of it.`)
    res.json({
      name: seen.name,
      mediaType: seen.mediaType,
      ...(seen.title ? { title: seen.title } : {}),
      ...(seen.pages ? { pages: seen.pages } : {}),
      characters: seen.text.length,
      chunks: chunks.map(({ ordinal, text, header, locator, parent }) => ({ ordinal, text, header, locator, parent })),
    })
  })

  async function read(req: Request, maxBytes: number, left: AbortSignal) {
    if (reading >= AT_ONCE || coming >= COMING) throw busy()
    const limit: Limit =
      maxBytes < deps.maxFileBytes
        ? { bytes: maxBytes, variable: 'ATTACHMENT_MAX_MB' }
        : { bytes: deps.maxFileBytes, variable: 'MAX_FILE_MB' }
    coming++
    // one that comes slowly keeps nobody from being read
    const file = await receiveOne(req, deps.folder, limit).finally(() => {
      coming--
    })
    const signal = AbortSignal.any([left, AbortSignal.timeout(READ_MS)])
    // whoever waited here would hold a file on the disk
    const isFree = reading < AT_ONCE
    if (isFree) reading++
    try {
      if (!isFree) throw busy()
      return { ...wellFormed(await deps.extractor.extract(file.path, signal)), name: file.name }
    } catch (error) {
      throw signal.aborted ? new AppError('timeout', `The file takes longer to read than ${READ_MS / 1000} s.`) : error
    } finally {
      if (isFree) reading--
      await file.tidy()
    }
  }
  return router
}

function busy(): AppError {
  return new AppError('overloaded', 'Other files are being read; send it again in a moment.', { retryAfterS: 5 })
}
