import { randomUUID } from 'node:crypto'
import { createWriteStream } from 'node:fs'
import { readdir, rename, rm } from 'node:fs/promises'
import { basename, extname, join } from 'node:path'
import { finished, pipeline } from 'node:stream/promises'
import { AppError } from '@docent/core/errors'
import busboy from 'busboy'
import type { Request } from 'express'
import { adviceFor, mediaTypeOf, supportedFormats } from '../scan/media-type.ts'
import { checkPath, makeFolderInside, readOnly } from './paths.ts'
import { type OnConflict, type Placement, planPlacements } from './placements.ts'

const LIMITS = { files: 20, fields: 10, fieldSize: 2_000, fieldNameSize: 100, parts: 40, headerPairs: 50 }
const PREFIX = '.docent-upload-' // hidden: no scan sees it
export type Limit = { bytes: number; variable: 'MAX_FILE_MB' | 'ATTACHMENT_MAX_MB' }

type Received = { from: string; name: string }
export type Upload = {
  /** renames the whole files into the folder, where `allow` does not throw for their paths and none is in the way; all of them or none */
  place(onConflict: OnConflict, allow: (paths: readonly string[]) => Promise<void>): Promise<Placement[]>
}

/** Streams the file parts of a multipart body into the folder, by way of hidden files: nothing half-written is ever seen. */
export async function receiveUpload(req: Request, folder: string, maxFileBytes: number): Promise<Upload> {
  const { target, files, tidy } = await receiveFiles(req, folder, { bytes: maxFileBytes, variable: 'MAX_FILE_MB' })
  try {
    const places = files.map(({ from, name }) => ({ from, path: checkPath(pathFor(name, target, files.length)) }))
    for (const { path } of places) requireReadable(path)
    return {
      async place(onConflict, allow) {
        try {
          // first of all: what he may not see is not told to be there either
          await allow(places.map(({ path }) => path))
          const planned = await planPlacements(places, folder, onConflict)
          const beside = planned.filter(({ outcome }) => outcome === 'renamed').map(({ path }) => checkPath(path))
          await allow(beside)
          for (const { from, path, outcome } of planned)
            if (outcome === 'unchanged') await rm(from)
            else await rename(from, await makeFolderInside(folder, path))
          return planned.map((placement) => ({ ...placement, path: placement.path.normalize('NFC') }))
        } catch (error) {
          await tidy()
          throw translate(error, folder)
        }
      },
    }
  } catch (error) {
    await tidy()
    throw translate(error, folder)
  }
}

/** One file part as a hidden file of the folder, under a name of its own with the extension it came with; `tidy` removes it. */
export async function receiveOne(
  req: Request,
  folder: string,
  limit: Limit,
): Promise<{ path: string; name: string; tidy: () => Promise<void> }> {
  const { files, tidy } = await receiveFiles(req, folder, limit, 1)
  try {
    const { from, name } = files[0]!
    requireReadable(name)
    return { path: basename(from), name, tidy }
  } catch (error) {
    await tidy()
    throw error
  }
}

function requireReadable(path: string): void {
  if (!mediaTypeOf(path)) throw new AppError('unsupported', adviceFor(path) ?? `This format is not read; these are: ${supportedFormats}.`)
}

async function receiveFiles(req: Request, folder: string, limit: Limit, most = LIMITS.files) {
  const temporary: string[] = []
  const tidy = async () => void (await Promise.all(temporary.map((path) => rm(path, { force: true }))))
  const receiving: Promise<Received>[] = []
  try {
    const target = await readForm(req, limit.bytes, most, (stream, name) => {
      const from = join(folder, `${PREFIX}${randomUUID()}${/^\.\w{1,10}$/.exec(extname(name))?.[0] ?? ''}`)
      temporary.push(from)
      const done = receive(stream, from, name, limit)
      receiving.push(done)
      return done
    })
    const files = await Promise.all(receiving)
    if (files.length === 0) throw new AppError('validation', 'Send at least one file part: curl -F file=@report.pdf')
    return { target, files, tidy }
  } catch (error) {
    await Promise.allSettled(receiving)
    await tidy()
    throw translate(error, folder)
  }
}

/** What a killed process left behind. */
export async function removeStaleUploads(folder: string): Promise<void> {
  const names = await readdir(folder).catch(() => [])
  await Promise.all(names.filter((name) => name.startsWith(PREFIX)).map((name) => rm(join(folder, name), { force: true })))
}

/** Feeds each file part to `onFile` and returns the field `path`. */
async function readForm(
  req: Request,
  maxFileBytes: number,
  most: number,
  onFile: (stream: Part, name: string) => Promise<unknown>,
): Promise<string | undefined> {
  let form: busboy.Busboy
  try {
    form = busboy({ headers: req.headers, defParamCharset: 'utf8', limits: { ...LIMITS, files: most, fileSize: maxFileBytes } })
  } catch (cause) {
    throw new AppError('unsupported_media_type', 'Send multipart/form-data with a part named file.', { cause })
  }
  let target: string | undefined
  const failed = Promise.withResolvers<never>()
  form.on('field', (name, value) => {
    if (name === 'path') target = value
  })
  form.on('file', (_field, stream, { filename }) => {
    onFile(stream, basename((filename ?? '').replaceAll('\\', '/'))).catch(failed.reject)
  })
  const tooMany = new AppError('payload_too_large', `Send at most ${LIMITS.files} files in one request.`)
  form.on('filesLimit', () => failed.reject(most === 1 ? new AppError('validation', 'Send one file part.') : tooMany))
  for (const limit of ['fieldsLimit', 'partsLimit'] as const) form.on(limit, () => failed.reject(tooMany))
  const cut = () => void (req.complete || form.destroy(new AppError('bad_request', 'The upload was cut off.')))
  req.once('close', cut)
  try {
    // no pipeline: it would destroy the request, and with it the answer that says what is wrong
    req.pipe(form)
    await Promise.race([finished(form), failed.promise])
    return target
  } catch (cause) {
    req.unpipe(form)
    form.destroy()
    req.resume()
    throw cause instanceof AppError || isDiskError(cause)
      ? cause
      : new AppError('bad_request', 'The multipart body is damaged or cut off.', { cause })
  } finally {
    req.off('close', cut)
  }
}

type Part = NodeJS.ReadableStream & { truncated?: boolean }

async function receive(stream: Part, from: string, name: string, { bytes, variable }: Limit): Promise<Received> {
  await pipeline(stream, createWriteStream(from, { flags: 'wx', mode: 0o644, flush: true }))
  if (stream.truncated)
    throw new AppError(
      'payload_too_large',
      `A file may have ${Number((bytes / 1024 / 1024).toFixed(2))} MB; split it, or raise ${variable}.`,
    )
  return { from, name }
}

/** `path` names the file, or with a / at its end (or several files) the folder for them. */
function pathFor(name: string, target: string | undefined, files: number): string {
  if (target === undefined || target === '') return name
  if (target.endsWith('/')) return `${target}${name}`
  return files > 1 ? `${target}/${name}` : target
}

function isDiskError(error: unknown): boolean {
  return ['EACCES', 'EROFS', 'EPERM', 'ENOSPC', 'EDQUOT'].includes((error as NodeJS.ErrnoException).code ?? '')
}

function translate(error: unknown, folder: string): unknown {
  const { code } = error as NodeJS.ErrnoException
  if (code === 'ENOSPC' || code === 'EDQUOT')
    return new AppError('unavailable', 'The disk is full; make room and send it again.', { cause: error })
  if (code === 'ENOENT') return new AppError('unavailable', 'The folder is missing; mount it, or set DOCENT_FOLDER.', { cause: error })
  if (code === 'ENOTDIR') return new AppError('conflict', 'A file stands where the path needs a folder.', { cause: error })
  if (code === 'EISDIR' || code === 'ENOTEMPTY')
    return new AppError('conflict', 'A folder stands in the way of that file.', { cause: error })
  return isDiskError(error) ? readOnly(folder, error) : error
}
