import type { FileHandle } from 'node:fs/promises'
import { ExtractFailure, isFailureCode } from './failure.ts'
import { type Child, spawnChild } from './spawn-child.ts'
import { type Verdict, watchChild } from './watchdog.ts'

export type ChildLimits = { memoryMb: number; timeoutMs: number; maxOutputBytes: number; concurrency: number }

export type Children = AsyncDisposable & {
  /** The document's JSON as the child wrote it. */
  run(job: { path: string; size: number; handle: FileHandle }, signal: AbortSignal): Promise<Buffer>
}

const BOMB_RATIO = 50
const STDERR_CHARS = 4_000

/** One document per child, and one more child ready for the next: its start is not part of anyone's wait. */
export function createChildren(limits: ChildLimits): Children {
  const running = new Set<Child>()
  const waiting: (() => void)[] = []
  let active = 0
  let isClosed = false
  let spare: Child | undefined = fork()

  function fork(): Child {
    const child = spawnChild(limits.memoryMb, Math.ceil(limits.timeoutMs / 1000) + 30)
    // No process, no exit to wait for: the job that gets this child says parser_crash.
    if (child.pid === 0) return child
    running.add(child)
    child.process.once('exit', () => {
      running.delete(child)
      if (spare === child) spare = undefined
    })
    return child
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
    if (isClosed || next || spare) return
    const child = fork()
    spare = child.pid === 0 ? undefined : child
  }

  return {
    async run(job, signal) {
      await acquire()
      try {
        signal.throwIfAborted()
        const child = spare ?? fork()
        spare = undefined
        return await runJob(child, job, limits, signal)
      } finally {
        release()
      }
    },
    async [Symbol.asyncDispose]() {
      isClosed = true
      const ends = [...running].map((child) => new Promise((resolve) => child.process.once('exit', resolve)))
      for (const child of running) child.process.kill('SIGKILL')
      await Promise.all(ends)
    },
  }
}

async function runJob(
  child: Child,
  job: { path: string; size: number; handle: FileHandle },
  limits: ChildLimits,
  signal: AbortSignal,
): Promise<Buffer> {
  if (child.pid === 0)
    throw new ExtractFailure('parser_crash', 'No parser process could be started: free memory or processes on the machine, then try again.')
  let verdict: Verdict | 'too_much' | undefined
  const kill = (reason?: typeof verdict) => {
    verdict ??= reason
    child.process.kill('SIGKILL')
  }
  const abort = () => kill()
  signal.addEventListener('abort', abort)
  using _watch = watchChild(child.pid, { memoryBytes: limits.memoryMb * 1024 * 1024, timeoutMs: limits.timeoutMs }, kill)

  const chunks: Buffer[] = []
  let received = 0
  let stderr = ''
  child.answer.on('data', (chunk: Buffer) => {
    received += chunk.length
    if (received > limits.maxOutputBytes) kill('too_much')
    else chunks.push(chunk)
  })
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    if (stderr.length < STDERR_CHARS) stderr += text
  })
  const closed = new Promise<number | null>((resolve) => {
    if (child.process.exitCode !== null || child.process.signalCode !== null) resolve(child.process.exitCode)
    child.process.once('close', (code) => resolve(code))
  })
  child.control.write(`${JSON.stringify({ path: job.path, size: job.size, maxOutputBytes: limits.maxOutputBytes })}\n`)
  job.handle
    .createReadStream({ autoClose: false, start: 0, end: job.size - 1 })
    .on('error', abort)
    .pipe(child.document)

  const code = await closed
  signal.removeEventListener('abort', abort)
  signal.throwIfAborted()
  return judge(code, verdict, Buffer.concat(chunks), { stderr, received, size: job.size })
}

function judge(
  code: number | null,
  verdict: Verdict | 'too_much' | undefined,
  output: Buffer,
  about: { stderr: string; received: number; size: number },
): Buffer {
  if (verdict === 'too_much') {
    if (about.received > about.size * BOMB_RATIO) throw new ExtractFailure('bomb')
    throw new ExtractFailure('too_large', 'The document holds more text than one document may: split it into parts.')
  }
  if (verdict) throw new ExtractFailure(verdict)
  if (output.subarray(0, 3).toString('latin1') === 'ok\n' && code === 0) return output.subarray(3)
  if (output.subarray(0, 7).toString('latin1') === 'failed\n' && code === 0) {
    const failure = JSON.parse(output.subarray(7).toString('utf8')) as { code: string; detail: string; cause?: string }
    if (isFailureCode(failure.code)) throw new ExtractFailure(failure.code, failure.detail, { cause: failure.cause })
  }
  if (/heap out of memory|allocation fail|out of memory/i.test(about.stderr))
    throw new ExtractFailure('parser_memory', undefined, { cause: about.stderr.slice(-300) })
  throw new ExtractFailure('parser_crash', undefined, { cause: about.stderr.slice(-600) })
}
