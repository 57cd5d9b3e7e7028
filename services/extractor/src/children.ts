import type { FileHandle } from 'node:fs/promises'
import { openContainerMemory } from './container-memory.ts'
import { type Answer, type Document, exchange, OCR_PAGE_MS } from './exchange.ts'
import { ExtractFailure, isFailureCode } from './failure.ts'
import { isPlainText } from './formats-by-extension.ts'
import { type Child, spawnChild } from './spawn-child.ts'
import type { OcrJob, Progress } from './types.ts'

export type ChildLimits = {
  memoryMb: number
  timeoutMs: number
  maxOutputBytes: number
  concurrency: number
  /** absent: OCR is off */
  ocr?: OcrJob
  codeCache?: { readonly folder: string | undefined }
  /** how many processes beside this one the kernel has ended for want of memory */
  kills?: () => number
}

export type Children = AsyncDisposable & {
  /** The document's JSON as the child wrote it; `tell` hears how far it is. */
  run(job: { path: string; size: number; handle: FileHandle }, signal: AbortSignal, tell?: (progress: Progress) => void): Promise<Buffer>
}

/** How far a child goes on after plain texts: far enough that its start hardly counts, not so far that their remains do. */
const lasts = { documents: 100, bytes: 4 * 1024 * 1024, documentBytes: 1024 * 1024, documentMs: 2_000 }
const BOMB_RATIO = 50

type Idle = { child: Child; documents: number; bytes: number }

/**
 * A child of its own for each document that a parser reads; small plain texts share one for a while. As many as may work at once
 * are kept ready: a start is not part of anyone's wait.
 */
export function createChildren(given: ChildLimits): Children {
  const limits = { kills: openContainerMemory().kills, ...given }
  const ocrPages = limits.ocr && 'maxPages' in limits.ocr ? limits.ocr.maxPages : 0
  const running = new Set<Child>()
  const waiting: (() => void)[] = []
  const idle: Idle[] = []
  let active = 0
  let isClosed = false
  keepReady()

  function fork(): Idle {
    const cpuSeconds = Math.ceil((limits.timeoutMs + ocrPages * OCR_PAGE_MS) / 1000) + 30
    const child = spawnChild(limits.memoryMb, cpuSeconds, limits.codeCache?.folder)
    // No process, no exit to wait for: the job that gets this child says parser_crash.
    if (child.pid !== 0) {
      running.add(child)
      child.process.once('exit', () => {
        running.delete(child)
        const place = idle.findIndex((one) => one.child === child)
        if (place >= 0) idle.splice(place, 1)
      })
    }
    return { child, documents: 0, bytes: 0 }
  }

  function keepReady(): void {
    if (idle.length > 0) return
    const fresh = fork()
    if (fresh.child.pid !== 0) idle.push(fresh)
  }

  async function acquire(): Promise<void> {
    if (active >= limits.concurrency) await new Promise<void>((resolve) => waiting.push(resolve))
    else active++
  }

  function release(): void {
    const next = waiting.shift()
    if (next) next()
    else active--
    // Forked between jobs, not during one: two full children would not fit the container.
    if (!next && !isClosed) keepReady()
  }

  /** A used child goes on with plain texts only: no parser gets to see what another document left in memory. */
  async function take(isPlain: boolean): Promise<Idle> {
    const wanted = idle.findIndex(({ documents }) => documents === 0 || isPlain)
    if (wanted >= 0) return idle.splice(wanted, 1)[0]!
    const used = idle.pop()
    if (used) await end(used.child)
    return fork()
  }

  /** What its pictures cost the document its child for is left out: the text of the others is kept, and a note says so. */
  async function withoutOcr(document: Document, signal: AbortSignal, tell?: (progress: Progress) => void): Promise<Buffer> {
    const taken = await take(false)
    const answer = await exchange(taken.child, document, limits, signal, tell)
    await end(taken.child)
    signal.throwIfAborted()
    return judge(answer, document)
  }

  return {
    async run(job, signal, tell) {
      await acquire()
      try {
        signal.throwIfAborted()
        const isPlain = job.size <= lasts.documentBytes && isPlainText(job.path)
        const { ocr } = limits
        const document = isPlain ? { ...job, bytes: await bytesOf(job) } : { ...job, ...(ocr ? { ocr } : {}) }
        const taken = await take(isPlain)
        const started = performance.now()
        const answer = await exchange(taken.child, document, limits, signal, tell)
        const used = { child: taken.child, documents: taken.documents + 1, bytes: taken.bytes + job.size }
        const isGood = isPlain && answer.isWhole && performance.now() - started < lasts.documentMs
        if (isGood && used.documents < lasts.documents && used.bytes < lasts.bytes && !isClosed) idle.push(used)
        else await end(taken.child)
        signal.throwIfAborted()
        const why = answer.usedOcr ? whyOcrFailed(answer) : undefined
        return why ? await withoutOcr({ ...job, ocr: { whyNot: why } }, signal, tell) : judge(answer, document)
      } finally {
        release()
      }
    },
    async [Symbol.asyncDispose]() {
      isClosed = true
      await Promise.all([...running].map(end))
    },
  }
}

function end(child: Child): Promise<void> {
  const { process } = child
  if (child.pid === 0 || process.exitCode !== null || process.signalCode !== null) return Promise.resolve()
  const ended = new Promise<void>((resolve) => process.once('exit', () => resolve()))
  process.kill('SIGKILL')
  return ended
}

/** At most as many bytes as the file had when it was opened: one that shrinks or grows meanwhile must not stop the next one. */
async function bytesOf({ handle, size }: { handle: FileHandle; size: number }): Promise<Buffer> {
  const parts: Buffer[] = []
  for await (const part of handle.createReadStream({ autoClose: false, start: 0, end: size - 1 })) parts.push(part as Buffer)
  return Buffer.concat(parts)
}

function whyOcrFailed({ verdict, word }: Answer): string | undefined {
  if (verdict === 'parser_memory') return 'OCR needed too much memory: raise EXTRACT_MEMORY_MB'
  if (verdict === 'no_room') return 'OCR needed more memory than the container has: raise EXTRACTOR_MEM'
  if (verdict === 'parser_timeout') return 'OCR took too long: raise EXTRACT_TIMEOUT_S'
  return word || verdict ? undefined : 'OCR ended unexpectedly on them: run OCR on it yourself and save the result'
}

function judge({ word, body, verdict, stderr, received }: Answer, { size }: Document): Buffer {
  if (verdict === 'no_process')
    throw new ExtractFailure('parser_crash', 'No parser process could be started: free memory or processes on the machine, then try again.')
  if (verdict === 'too_much') {
    if (received > size * BOMB_RATIO) throw new ExtractFailure('bomb')
    throw new ExtractFailure('too_large', 'The document holds more text than one document may: split it into parts.')
  }
  if (verdict === 'no_room')
    throw new ExtractFailure(
      'parser_memory',
      'Parsing needed more memory than the container has: split the document, or raise EXTRACTOR_MEM.',
    )
  if (verdict) throw new ExtractFailure(verdict)
  if (word === 'ok') return body
  if (word === 'failed') {
    const failure = JSON.parse(body.toString('utf8')) as { code: string; detail: string; cause?: string }
    if (isFailureCode(failure.code)) throw new ExtractFailure(failure.code, failure.detail, { cause: failure.cause })
  }
  if (/heap out of memory|allocation fail|out of memory/i.test(stderr))
    throw new ExtractFailure('parser_memory', undefined, { cause: stderr.slice(-300) })
  throw new ExtractFailure('parser_crash', undefined, { cause: stderr.slice(-600) })
}
