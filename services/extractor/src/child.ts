// Documents one after the other: header on fd 4, bytes on stdin, answer on fd 3. It holds no path to any document, and the permission model lets it read its own code only.
import { Socket } from 'node:net'
import { createInterface } from 'node:readline'
import { extract } from './extract.ts'
import { ExtractFailure } from './failure.ts'
import { openOcr } from './ocr.ts'
import type { Job, Tell } from './types.ts'

const TELL_MS = 300

const control = new Socket({ fd: 4, readable: true, writable: false })
const answer = new Socket({ fd: 3, readable: false, writable: true })
// The parent holds the other end: its death ends this process too.
control.on('end', () => process.exit(0))
control.on('error', () => process.exit(0))

const input = process.stdin[Symbol.asyncIterator]()
for await (const line of createInterface({ input: control })) await respond(JSON.parse(line) as Job)

async function respond(job: Job): Promise<void> {
  const [word, content] = await answerTo(job)
  const body = Buffer.from(JSON.stringify(content))
  answer.write(`${word} ${body.length}\n`)
  await new Promise((written) => answer.write(body, written))
}

async function answerTo(job: Job): Promise<[word: 'ok' | 'failed', content: unknown]> {
  try {
    return ['ok', await extract(await readDocument(job.size), job, openOcr(job.ocr, announceOcr), createTeller())]
  } catch (error) {
    if (error instanceof ExtractFailure) return ['failed', { code: error.code, detail: error.detail, cause: causeOf(error.cause) }]
    // A parser that throws was given something it cannot parse; running out of stack is the document's doing as well.
    return ['failed', { code: 'corrupt', detail: new ExtractFailure('corrupt').detail, cause: causeOf(error) }]
  }
}

/** Pages that OCR is about to read: the parent allows their time. */
function announceOcr(pages: number): void {
  answer.write(`ocr ${pages}\n`)
}

/** A few lines a second at most, and none about what is read at once; that OCR begins is always said. */
function createTeller(): Tell {
  let toldAt = performance.now()
  let last = ''
  return (stage, unit, done, total) => {
    const now = performance.now()
    const isNews = stage === 'ocr' && last !== stage
    if (!isNews && now - toldAt < TELL_MS) return
    toldAt = now
    last = stage
    answer.write(`at ${stage} ${unit} ${done} ${total}\n`)
  }
}

function causeOf(error: unknown): string | undefined {
  return error instanceof Error ? `${error.name}: ${error.message}`.slice(0, 300) : undefined
}

/** The next document's bytes begin only after this one's answer: no part of the input holds two. */
async function readDocument(size: number): Promise<Buffer> {
  const bytes = Buffer.allocUnsafe(size)
  let at = 0
  while (at < size) {
    const part = await input.next()
    if (part.done) break
    at += (part.value as Buffer).copy(bytes, at)
  }
  return bytes.subarray(0, at)
}
