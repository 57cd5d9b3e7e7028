import type { FileHandle } from 'node:fs/promises'
import { Progress } from '@docent/core/document'
import { sendFile } from './send-file.ts'
import type { Child } from './spawn-child.ts'
import type { OcrJob } from './types.ts'
import { type Bounds, type Verdict, watchChild } from './watchdog.ts'

/** `bytes`: the child's input stays open for a next document; else the file is streamed, and its end ends the input. */
export type Document = { path: string; size: number; handle: FileHandle; bytes?: Buffer; ocr?: OcrJob }

export type Answer = {
  /** nothing when the child ended before it had answered */
  word: 'ok' | 'failed' | undefined
  body: Buffer
  /** why it was killed, or never ran; `no_room`: by the kernel, its container's memory was used up */
  verdict: Verdict | 'too_much' | 'no_process' | 'no_room' | undefined
  stderr: string
  received: number
  /** the answer and not a byte more: the child may be asked again */
  isWhole: boolean
  /** it had begun to read pictures */
  usedOcr: boolean
}

type Limits = {
  memoryMb: number
  timeoutMs: number
  maxOutputBytes: number
  /** how many processes the kernel has ended for want of memory */
  kills: () => number
}

/** What a page read by OCR adds to the time of its document: 3 s is usual on one slow core. */
export const OCR_PAGE_MS = 6_000

const STDERR_CHARS = 4_000
// what a child says before its answer: a few lines a second for an hour come to less
const MAX_PREFACE_BYTES = 512 * 1024
const LINE_BYTES = 100

/**
 * Sends a child one document and reads what it says: lines of `ocr` and how many pages it begins to read by it, and of `at` and how far it is;
 * then a word, the length in bytes, a line end, JSON. The limits kill it. `tell` hears how far it is: numbers only, nothing of the document.
 */
export async function exchange(
  child: Child,
  document: Document,
  limits: Limits,
  signal: AbortSignal,
  tell: (progress: Progress) => void = () => {},
): Promise<Answer> {
  const said: Answer = {
    word: undefined,
    body: Buffer.alloc(0),
    verdict: undefined,
    stderr: '',
    received: 0,
    isWhole: false,
    usedOcr: false,
  }
  if (child.pid === 0) return { ...said, verdict: 'no_process' }
  const kill = (verdict?: Answer['verdict']) => {
    said.verdict ??= verdict
    child.process.kill('SIGKILL')
  }
  const abort = () => kill()
  signal.addEventListener('abort', abort)
  const bounds: Bounds = { memoryBytes: limits.memoryMb * 1024 * 1024, timeoutMs: limits.timeoutMs }
  using _watch = watchChild(child.pid, bounds, kill)

  const answered = Promise.withResolvers<void>()
  const chunks: Buffer[] = []
  let head: Head | undefined
  let preface = 0
  const killsBefore = limits.kills()
  const allow = (pages: number) => {
    said.usedOcr = true
    // It is a parser of a hostile file that asks: no more than all the pages it may read.
    const most = document.ocr && 'maxPages' in document.ocr ? document.ocr.maxPages : 0
    bounds.timeoutMs = Math.min(bounds.timeoutMs + pages * OCR_PAGE_MS, limits.timeoutMs + most * OCR_PAGE_MS)
  }
  const hear = (chunk: Buffer) => {
    said.received += chunk.length
    if (said.received > limits.maxOutputBytes) return kill('too_much')
    chunks.push(chunk)
    if (!head) {
      head = headOf(chunks, allow, tell)
      // what came before the answer is none of it
      const left = chunks.reduce((sum, part) => sum + part.length, 0)
      preface += said.received - left
      said.received = left
      if (preface > MAX_PREFACE_BYTES) return kill()
    }
    if (head && said.received >= head.to) answered.resolve()
  }
  const complain = (text: string) => {
    if (said.stderr.length < STDERR_CHARS) said.stderr += text
  }
  const leave = () => answered.resolve()
  child.answer.on('data', hear)
  child.stderr.on('data', complain)
  child.process.once('close', leave)
  if (child.process.exitCode !== null || child.process.signalCode !== null) leave()

  const { path, size, handle, bytes, ocr } = document
  child.control.write(`${JSON.stringify({ path, size: bytes?.length ?? size, maxOutputBytes: limits.maxOutputBytes, ocr })}\n`)
  if (bytes) child.document.write(bytes)
  else sendFile(handle, size, child.document).catch(abort)

  await answered.promise
  signal.removeEventListener('abort', abort)
  child.answer.off('data', hear)
  child.stderr.off('data', complain)
  child.process.off('close', leave)
  const isWhole = head !== undefined && said.received >= head.to
  // The kernel counts what it ends so; it may be faster than the look at the child's own limit, or a moment behind it.
  const isOfMemory = said.verdict === undefined || said.verdict === 'parser_memory'
  if (!isWhole && isOfMemory && child.process.signalCode === 'SIGKILL' && limits.kills() > killsBefore) said.verdict = 'no_room'
  if (!head || !isWhole || said.verdict) return said
  const all = Buffer.concat(chunks)
  return { ...said, word: head.word, body: all.subarray(head.from, head.to), isWhole: all.length === head.to }
}

type Head = { word: 'ok' | 'failed'; from: number; to: number }

const prefaceLine = /^(?:ocr (\d{1,6})|at (extract|ocr) ([a-z]{1,12}) (\d{1,6}) (\d{1,6}))\n/

/** The answer's first line; what stands before it is taken off `chunks` and told once. */
function headOf(chunks: Buffer[], onOcr: (pages: number) => void, tell: (progress: Progress) => void): Head | undefined {
  const all = Buffer.concat(chunks)
  let from = 0
  let text = all.toString('latin1', 0, LINE_BYTES)
  for (let line = prefaceLine.exec(text); line; line = prefaceLine.exec(text)) {
    const [whole, pages, stage, unit, done, total] = line
    if (pages !== undefined) onOcr(Number(pages))
    else {
      const said = Progress.safeParse({ stage, unit, done: Number(done), total: Number(total) })
      if (said.success && said.data.done <= said.data.total) tell(said.data)
    }
    from += whole.length
    text = all.toString('latin1', from, from + LINE_BYTES)
  }
  if (from > 0) chunks.splice(0, chunks.length, all.subarray(from))
  const head = /^(ok|failed) (\d{1,9})\n/.exec(text)
  return head ? { word: head[1] as Head['word'], from: head[0].length, to: head[0].length + Number(head[2]) } : undefined
}
