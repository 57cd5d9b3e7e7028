import { EventEmitter } from 'node:events'
import { open } from 'node:fs/promises'
import { PassThrough } from 'node:stream'
import { expect, test } from 'vitest'
import { exchange } from './exchange.ts'
import type { Child } from './spawn-child.ts'
import type { Progress } from './types.ts'

const limits = { memoryMb: 100_000, timeoutMs: 60_000, maxOutputBytes: 10_000, kills: () => 0 }

/** A child under someone else's control: what it says is given, part by part. */
async function exchangeWith(parts: readonly string[]) {
  const answer = new PassThrough()
  const process = Object.assign(new EventEmitter(), {
    exitCode: null,
    signalCode: null,
    kill: () => process.emit('close'),
  })
  const child = { process, pid: 1, document: new PassThrough(), stderr: new PassThrough(), answer, control: new PassThrough() }
  const told: Progress[] = []
  await using handle = await open(import.meta.filename)
  const document = { path: 'a.pdf', size: 2, handle, bytes: Buffer.from('ab') }
  const answered = exchange(child as unknown as Child, document, limits, AbortSignal.timeout(30_000), (progress) => told.push(progress))
  for (const part of parts) answer.write(part)
  return { ...(await answered), told }
}

test('what a child says of its progress is told, however it is cut; the answer is what follows', async () => {
  const { word, body, told } = await exchangeWith(['at extract page 3', ' 250\nat ocr page 0 9\no', 'k 2\n{}'])
  expect([word, body.toString()]).toEqual(['ok', '{}'])
  expect(told).toEqual([
    { stage: 'extract', unit: 'page', done: 3, total: 250 },
    { stage: 'ocr', unit: 'page', done: 0, total: 9 },
  ])
})

test('a child can say nothing but numbers, and in its answer nothing at all', async () => {
  const { told, body } = await exchangeWith(['at extract page 9 3\nat extract owner 1 2\n', 'ok 22\nat extract page 1 2\n{}'])
  expect(told).toEqual([])
  expect(body.toString()).toBe('at extract page 1 2\n{}')
})

test('a child that talks without end before its answer is ended', async () => {
  const { word, verdict, told } = await exchangeWith(Array.from({ length: 60 }, () => 'at extract page 1 2\n'.repeat(500)))
  expect([word, verdict]).toEqual([undefined, undefined])
  expect(told.length).toBeGreaterThan(0)
})
