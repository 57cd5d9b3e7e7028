import { expect, test } from 'vitest'
import { type FileKnown, type FileSeen, isMassRemoval, planScan, waitForOriginals } from './plan-scan.ts'

const known = (documentId: string, path: string, contentHash: string): FileKnown => ({ documentId, path, contentHash })
const seen = (path: string, contentHash: string): FileSeen => ({
  path,
  contentHash,
  size: 1,
  modifiedAt: new Date(0),
  mediaType: 'text/plain',
})
const empty = { add: [], change: [], move: [], remove: [] }

test('what has not changed needs nothing', () => {
  expect(planScan([known('d1', 'a', 'x')], [seen('a', 'x')])).toEqual(empty)
})

test('a renamed file moves and costs no embedding', () => {
  expect(planScan([known('d1', 'a.pdf', 'x')], [seen('b/a.pdf', 'x')])).toEqual({
    ...empty,
    move: [{ documentId: 'd1', to: 'b/a.pdf', file: seen('b/a.pdf', 'x') }],
  })
})

test('a copy is a document of its own, and the original stays', () => {
  expect(planScan([known('d1', 'a', 'x')], [seen('a', 'x'), seen('copy', 'x')])).toEqual({ ...empty, add: [seen('copy', 'x')] })
})

test('two files of the same content that both moved keep one place each', () => {
  const { move, add, remove } = planScan([known('d1', 'a', 'x'), known('d2', 'b', 'x')], [seen('c', 'x'), seen('d', 'x')])
  expect(move.map(({ documentId }) => documentId)).toEqual(['d1', 'd2'])
  expect(new Set(move.map(({ to }) => to))).toEqual(new Set(['c', 'd']))
  expect([add, remove]).toEqual([[], []])
})

test('an edited and a vanished file are a change and a removal', () => {
  expect(planScan([known('d1', 'a', 'x'), known('d2', 'b', 'y')], [seen('a', 'z')])).toEqual({
    ...empty,
    change: [{ documentId: 'd1', file: seen('a', 'z') }],
    remove: [{ documentId: 'd2' }],
  })
})

test('a file found under a new name with other content has moved, if no other file could be meant', () => {
  const was = (documentId: string, path: string, identity?: string) => ({ ...known(documentId, path, path), identity })
  const is = (path: string, identity?: string) => ({ ...seen(path, `new ${path}`), ...(identity ? { identity } : {}) })
  expect(planScan([was('d1', 'a', 'one')], [is('b', 'one')])).toEqual({
    ...empty,
    move: [{ documentId: 'd1', to: 'b', file: is('b', 'one') }],
  })
  // another file, born later under the same number; nothing known of the one or the other; the old one is still there
  expect(planScan([was('d1', 'a', 'one')], [is('b', 'another')])).toEqual({
    ...empty,
    add: [is('b', 'another')],
    remove: [{ documentId: 'd1' }],
  })
  expect(planScan([was('d1', 'a')], [is('b')])).toEqual({ ...empty, add: [is('b')], remove: [{ documentId: 'd1' }] })
  expect(planScan([was('d1', 'a', 'one')], [{ ...seen('a', 'a'), identity: 'one' }, is('b', 'one')])).toEqual({
    ...empty,
    add: [is('b', 'one')],
  })
  // hard links: two names that vanished, or two that came
  expect(planScan([was('d1', 'a', 'one'), was('d2', 'b', 'one')], [is('c', 'one')]).move).toEqual([])
  expect(planScan([was('d1', 'a', 'one')], [is('b', 'one'), is('c', 'one')])).toMatchObject({ move: [], remove: [{ documentId: 'd1' }] })
  // the same content elsewhere goes first: then it was only renamed
  expect(planScan([was('d1', 'a', 'one')], [is('b', 'one'), seen('c', 'a')])).toMatchObject({ move: [{ to: 'c' }], add: [{ path: 'b' }] })
})

test('a copy does not take the place of its original before a second look finds it so', () => {
  const was = { ...known('d1', 'old/f', 'x'), identity: 'one' }
  const original = { ...seen('new/f', 'x'), identity: 'one' }
  const copy = { ...seen('copies/f', 'x'), identity: 'two' }
  const looks = (...files: FileSeen[]) => {
    const { plan, waiting } = waitForOriginals(planScan([was], files), seenBefore)
    return { moves: plan.move.map(({ to }) => to), adds: plan.add.map(({ path }) => path), removes: plan.remove.length, waiting }
  }
  const nothing = { moves: [], adds: [], removes: 0, waiting: [] }
  const seenBefore = new Set<string>()
  // the folder was renamed while the look went on: only the copy was met
  expect(looks(copy)).toEqual({ ...nothing, waiting: ['copies/f'] })
  expect(looks(copy, original)).toEqual({ ...nothing, moves: ['new/f'], adds: ['copies/f'] })
  // the original is gone: copied to another disk and deleted
  expect(looks(copy)).toEqual({ ...nothing, waiting: ['copies/f'] })
  expect(looks(copy)).toEqual({ ...nothing, moves: ['copies/f'] })
  // of who is who nothing is known
  expect(looks(seen('copies/f', 'x'))).toEqual({ ...nothing, moves: ['copies/f'] })
})

test('of several files with one content each is followed by itself, whatever their names', () => {
  const was = (documentId: string, path: string, identity: string) => ({ ...known(documentId, path, 'x'), identity })
  const is = (path: string, identity: string) => ({ ...seen(path, 'x'), identity })
  const { move } = planScan(
    [was('d1', 'a', 'one'), was('d2', 'b', 'two'), was('d3', 'c', 'three')],
    [is('b2', 'one'), is('a2', 'two'), is('z/c', 'four')],
  )
  expect(move.map(({ documentId, to, isCopy }) => [documentId, to, isCopy])).toEqual([
    ['d1', 'b2', undefined],
    ['d2', 'a2', undefined],
    ['d3', 'z/c', true],
  ])
})

test('every seen file and every known document has exactly one fate', () => {
  const paths = ['a', 'b', 'c', 'd']
  const hashes = ['x', 'y']
  for (let n = 0; n < 400; n++) {
    const pick = (salt: number) => paths.filter((_, i) => (n >> (i + salt)) & 1)
    const before = pick(0).map((path, i) => known(`d${i}`, path, hashes[(n + i) % 2]!))
    const now = pick(3).map((path, i) => seen(path, hashes[(n * 3 + i) % 2]!))
    const plan = planScan(before, now)
    const kept = before.filter(({ path, contentHash }) => now.some((file) => file.path === path && file.contentHash === contentHash)).length
    expect(plan.change.length + plan.move.length + plan.remove.length + kept).toBe(before.length)
    expect(plan.add.length + plan.change.length + plan.move.length + kept).toBe(now.length)
  }
})

test('a moved folder of files with the same content keeps each document with its name', () => {
  const { move } = planScan([known('d1', 'old/a', 'x'), known('d2', 'old/b', 'x')], [seen('new/b', 'x'), seen('new/a', 'x')])
  expect(move.map(({ documentId, to }) => [documentId, to])).toEqual([
    ['d1', 'new/a'],
    ['d2', 'new/b'],
  ])
})

test('a fifth of the folder may go, more waits for a yes', () => {
  expect(isMassRemoval(4, 4)).toBe(false)
  expect(isMassRemoval(5, 25)).toBe(false)
  expect(isMassRemoval(6, 25)).toBe(true)
})
