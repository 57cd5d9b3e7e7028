import type { FileHandle } from 'node:fs/promises'
import type { Child } from './spawn-child.ts'
import { type Verdict, watchChild } from './watchdog.ts'

/** `bytes`: the child's input stays open for a next document; else the file is streamed, and its end ends the input. */
export type Document = { path: string; size: number; handle: FileHandle; bytes?: Buffer }

export type Answer = {
  /** nothing when the child ended before it had answered */
  word: 'ok' | 'failed' | undefined
  body: Buffer
  /** why it was killed, or never ran */
  verdict: Verdict | 'too_much' | 'no_process' | undefined
  stderr: string
  received: number
  /** the answer and not a byte more: the child may be asked again */
  isWhole: boolean
}

type Limits = { memoryMb: number; timeoutMs: number; maxOutputBytes: number }

const STDERR_CHARS = 4_000

/** Sends a child one document and reads what it says: a word, the length in bytes, a line end, JSON. The limits kill it. */
export async function exchange(child: Child, document: Document, limits: Limits, signal: AbortSignal): Promise<Answer> {
  const said: Answer = { word: undefined, body: Buffer.alloc(0), verdict: undefined, stderr: '', received: 0, isWhole: false }
  if (child.pid === 0) return { ...said, verdict: 'no_process' }
  const kill = (verdict?: Answer['verdict']) => {
    said.verdict ??= verdict
    child.process.kill('SIGKILL')
  }
  const abort = () => kill()
  signal.addEventListener('abort', abort)
  using _watch = watchChild(child.pid, { memoryBytes: limits.memoryMb * 1024 * 1024, timeoutMs: limits.timeoutMs }, kill)

  const answered = Promise.withResolvers<void>()
  const chunks: Buffer[] = []
  let head: { word: 'ok' | 'failed'; from: number; to: number } | undefined
  const hear = (chunk: Buffer) => {
    said.received += chunk.length
    if (said.received > limits.maxOutputBytes) return kill('too_much')
    chunks.push(chunk)
    head ??= headOf(chunks)
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

  const { path, size, handle, bytes } = document
  child.control.write(`${JSON.stringify({ path, size: bytes?.length ?? size, maxOutputBytes: limits.maxOutputBytes })}\n`)
  if (bytes) child.document.write(bytes)
  else
    handle
      .createReadStream({ autoClose: false, start: 0, end: size - 1 })
      .on('error', abort)
      .pipe(child.document)

  await answered.promise
  signal.removeEventListener('abort', abort)
  child.answer.off('data', hear)
  child.stderr.off('data', complain)
  child.process.off('close', leave)
  if (!head || said.received < head.to || said.verdict) return said
  const all = Buffer.concat(chunks)
  return { ...said, word: head.word, body: all.subarray(head.from, head.to), isWhole: all.length === head.to }
}

function headOf(chunks: readonly Buffer[]): { word: 'ok' | 'failed'; from: number; to: number } | undefined {
  const head = /^(ok|failed) (\d{1,9})\n/.exec(Buffer.concat(chunks).subarray(0, 20).toString('latin1'))
  if (!head) return undefined
  const from = head[0].length
  return { word: head[1] as 'ok' | 'failed', from, to: from + Number(head[2]) }
}
