// One document per process: header on fd 4, bytes on stdin, answer on fd 3. It holds no path to any document, and the permission model lets it read its own code only.
import { Socket } from 'node:net'
import { extract } from './extract.ts'
import { ExtractFailure } from './failure.ts'
import type { Job } from './types.ts'

const control = new Socket({ fd: 4, readable: true, writable: false })
const answer = new Socket({ fd: 3, readable: false, writable: true })
// The parent holds the other end: its death ends this process too.
control.on('end', () => process.exit(0))
control.on('error', () => process.exit(0))

answer.end(await respond(await readJob()), () => process.exit(0))

async function respond(job: Job): Promise<string> {
  try {
    return `ok\n${JSON.stringify(await extract(await readDocument(job.size), job))}`
  } catch (error) {
    if (error instanceof ExtractFailure)
      return `failed\n${JSON.stringify({ code: error.code, detail: error.detail, cause: causeOf(error.cause) })}`
    // A parser that throws was given something it cannot parse; running out of stack is the document's doing as well.
    return `failed\n${JSON.stringify({ code: 'corrupt', detail: new ExtractFailure('corrupt').detail, cause: causeOf(error) })}`
  }
}

function causeOf(error: unknown): string | undefined {
  return error instanceof Error ? `${error.name}: ${error.message}`.slice(0, 300) : undefined
}

async function readJob(): Promise<Job> {
  let line = ''
  return new Promise((resolve) => {
    control.setEncoding('utf8').on('data', (chunk: string) => {
      line += chunk
      const end = line.indexOf('\n')
      if (end >= 0) resolve(JSON.parse(line.slice(0, end)) as Job)
    })
  })
}

async function readDocument(size: number): Promise<Buffer> {
  const bytes = Buffer.allocUnsafe(size)
  let at = 0
  for await (const chunk of process.stdin) {
    if (at + chunk.length > size) break
    at += (chunk as Buffer).copy(bytes, at)
  }
  return bytes.subarray(0, at)
}
