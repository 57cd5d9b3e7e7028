import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { type ChildLimits, createChildren } from '../src/children.ts'
import type { Extracted } from '../src/types.ts'
import { makePdf } from './make-pdf.ts'

const folder = mkdtempSync(join(tmpdir(), 'children-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))
const limits: ChildLimits = { memoryMb: 220, timeoutMs: 30_000, maxOutputBytes: 5_000_000, concurrency: 1 }

function openChildren(given: Partial<ChildLimits> = {}) {
  const children = createChildren({ ...limits, ...given })
  const read = async (path: string, content: string | Uint8Array, tell?: () => void): Promise<Extracted> => {
    writeFileSync(join(folder, path), content)
    await using handle = await open(join(folder, path))
    const { size } = await handle.stat()
    return JSON.parse((await children.run({ path, size, handle }, AbortSignal.timeout(60_000), tell)).toString()) as Extracted
  }
  return { read, [Symbol.asyncDispose]: () => children[Symbol.asyncDispose]() }
}

/** the children of this process that read documents */
function pids(): string[] {
  const lines = execFileSync('ps', ['-o', 'pid=,args=', '--ppid', String(process.pid)], { encoding: 'utf8' }).split('\n')
  return lines.filter((line) => line.includes('child.ts')).map((line) => line.trim().split(' ')[0]!)
}

test('small plain texts share a child, and one that follows others reads the same as one read first', async () => {
  const sources: [path: string, content: string | Uint8Array][] = [
    ['a.md', '# 总则\n\n| 城市 | 上限 |\n|---|---|\n| 北京 | 600 |\n\n- 一\n- 二\n'],
    ['b.txt', Buffer.from('d6d0b9facec4d7d6b5c4d2bbb6ce', 'hex')],
    ['c.csv', 'name;note\n"A;1";"x"\n'],
    ['d.jsonl', '{"a": 1}\n{"a": 2}\n'],
    ['e.py', 'def f():\n    return 1\n'],
  ]
  const alone: Extracted[] = []
  for (const [path, content] of sources) {
    await using one = openChildren()
    alone.push(await one.read(path, content))
  }
  await using children = openChildren()
  const [first] = pids()
  for (const _ of [1, 2]) for (const [n, [path, content]] of sources.entries()) expect(await children.read(path, content)).toEqual(alone[n])
  expect(pids()).toEqual([first])
})

test('a child that has read one text reads nothing that needs a parser', async () => {
  await using children = openChildren()
  await children.read('a.txt', 'the first document')
  const before = pids()
  const { text } = await children.read('b.pdf', makePdf([[{ text: 'Annual leave is fifteen days.' }]]))
  expect(text).toContain('Annual leave')
  expect(pids().some((pid) => before.includes(pid))).toBe(false)
})

test('a text that breaks its child fails alone: the next one gets another', async () => {
  await using children = openChildren({ maxOutputBytes: 20_000 })
  await children.read('a.txt', 'good')
  await expect(children.read('b.csv', 'x,y\n'.repeat(6_000))).rejects.toMatchObject({ code: 'too_large' })
  expect((await children.read('c.txt', 'good again')).text).toBe('good again')
})

test('texts at once are read by as many children as may work', async () => {
  await using children = openChildren({ concurrency: 2 })
  const texts = Array.from({ length: 12 }, (_, n) => `text number ${n}`)
  const read = await Promise.all(texts.map((text, n) => children.read(`${n}.txt`, text)))
  expect(read.map(({ text }) => text)).toEqual(texts)
  expect(pids().length).toBeLessThanOrEqual(2)
})

test('a child that the kernel ends because the memory of its container is used up is parser_memory; any other end is a crash', async () => {
  let kills = 3
  await using children = openChildren({ kills: () => kills })
  const line = { text: 'A line of a long document that takes a while to read.' }
  const long = makePdf(Array.from({ length: 300 }, () => Array.from({ length: 40 }, () => line)))
  const endWith = (killed: number) => () => {
    kills += killed
    for (const pid of pids()) process.kill(Number(pid), 'SIGKILL')
  }
  await expect(children.read('long.pdf', long, endWith(1))).rejects.toMatchObject({
    code: 'parser_memory',
    message: expect.stringContaining('EXTRACTOR_MEM'),
  })
  await expect(children.read('long.pdf', long, endWith(0))).rejects.toMatchObject({ code: 'parser_crash' })
  expect((await children.read('a.txt', 'The next one.')).text).toBe('The next one.')
})

test('where memory ends, the kernel takes a child before the service', async () => {
  await using children = openChildren()
  await children.read('a.txt', 'text')
  for (const pid of pids()) expect(readFileSync(`/proc/${pid}/oom_score_adj`, 'utf8').trim()).toBe('1000')
})
