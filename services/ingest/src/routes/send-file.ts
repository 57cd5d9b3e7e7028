import { basename } from 'node:path'
import { pipeline } from 'node:stream/promises'
import type { DocumentRow } from '@docent/corpus/corpus'
import type { Request, Response } from 'express'
import { openInside } from './paths.ts'

/** Sends the file as it lies in the folder, whole or one range of it; `charset` is what its text was read as, where that is known. */
export async function sendFile(req: Request, res: Response, folder: string, document: DocumentRow, charset?: string): Promise<void> {
  await using handle = await openInside(folder, document.path)
  const { size } = await handle.stat()
  const range = req.range(size, { combine: true })
  res.set('accept-ranges', 'bytes')
  if (range === -1) {
    res.status(416).set('content-range', `bytes */${size}`).end()
    return
  }
  const part = Array.isArray(range) && range.type === 'bytes' && range.length === 1 ? range[0] : undefined
  res.set({
    'content-disposition': `inline; filename*=UTF-8''${encodeURIComponent(basename(document.path).toWellFormed())}`,
    'content-length': String(part ? part.end - part.start + 1 : size),
    // a hostile HTML document must not run in our origin
    'content-security-policy': "sandbox; default-src 'none'; style-src 'unsafe-inline'",
    'x-content-type-options': 'nosniff',
    'cache-control': 'no-cache',
  })
  // `set` would add a charset where none is known
  res.setHeader('content-type', charset ? `${document.mediaType}; charset=${charset}` : document.mediaType)
  if (part) res.status(206).set('content-range', `bytes ${part.start}-${part.end}/${size}`)
  if (size === 0 || req.method === 'HEAD') {
    res.end()
    return
  }
  try {
    await pipeline(handle.createReadStream({ autoClose: false, start: part?.start ?? 0, end: part?.end ?? size - 1 }), res)
  } catch (error) {
    if (!res.destroyed) throw error // a reader who left is no failure
  }
}
