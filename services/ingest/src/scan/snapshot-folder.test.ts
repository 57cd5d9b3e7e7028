import { mkdirSync, mkdtempSync, renameSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { until } from '../../../lib/testkit/src/until.ts'
import { mergeControls } from './control-files.ts'
import { diskPath } from './disk-path.ts'
import { settingsLookup } from './folder-settings.ts'
import { createHashCache } from './hash-cache.ts'
import { hashFile } from './hash-file.ts'
import { type SnapshotOptions, snapshotFolder } from './snapshot-folder.ts'

let folder: string
let options: SnapshotOptions
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'snapshot-'))
  options = { folder, settleMs: 2_000, maxFileBytes: 1_000, hashes: createHashCache(), now: Date.now() + 60_000 }
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

const put = (path: string, text = path) => writeFileSync(join(folder, path), text)
const paths = async () => (await snapshotFolder(options)).files.map((file) => file.path)

test('an unchanged file is read once, a changed one again', async () => {
  const read: string[] = []
  const hashAndCount: typeof hashFile = (full, stats) => {
    read.push(full)
    return hashFile(full, stats)
  }
  const counting: SnapshotOptions = { ...options, hash: hashAndCount }
  put('a.txt', 'one')
  const [first] = (await snapshotFolder(counting)).files
  await snapshotFolder(counting)
  expect(read).toHaveLength(1)
  put('a.txt', 'two')
  const [second] = (await snapshotFolder(counting)).files
  expect(read).toHaveLength(2)
  expect(second!.contentHash).not.toBe(first!.contentHash)
})

test('after a start the ledger spares the reading of what kept its size and time', async () => {
  put('a.txt')
  options.hashes.ledger.set('a.txt', { size: 5, modifiedAt: statSync(join(folder, 'a.txt')).mtime.getTime(), hash: 'known' })
  expect((await snapshotFolder(options)).files[0]!.contentHash).toBe('known')
})

test('a file that cannot be opened fails with the command that mends it, a bad disk with its code', async () => {
  put("it's.txt")
  const refusing = (code: string): SnapshotOptions => ({ ...options, hash: () => Promise.reject(Object.assign(new Error(code), { code })) })
  const [closed] = (await snapshotFolder(refusing('EACCES'))).files
  expect(closed!.problem).toEqual({
    state: 'failed',
    code: 'unreadable',
    message: `The file cannot be opened; let its reader in: chmod a+r 'it'\\''s.txt'`,
  })
  expect((await snapshotFolder(refusing('EIO'))).files[0]!.problem?.message).toContain('EIO')
})

test('a file settles by its own age, by ours when its clock is ahead, and a trusted one at once', async () => {
  put('young.txt')
  const young: SnapshotOptions = { ...options, now: Date.now() }
  expect(await snapshotFolder(young)).toMatchObject({ files: [], unsettled: ['young.txt'] })
  utimesSync(join(folder, 'young.txt'), new Date('2090-01-01'), new Date('2090-01-01'))
  const impatient: SnapshotOptions = { ...young, settleMs: 0.001 }
  expect((await snapshotFolder(impatient)).unsettled).toEqual(['young.txt'])
  expect((await snapshotFolder(impatient)).files.map((file) => file.path)).toEqual(['young.txt'])
  put('ours.txt')
  young.hashes.trusted.add('ours.txt')
  expect((await snapshotFolder(young)).files.map((file) => file.path)).toContain('ours.txt')
})

test('.docentignore, hidden, temporary and own files are left out', async () => {
  mkdirSync(join(folder, 'drafts'))
  mkdirSync(join(folder, '.git'))
  for (const path of [
    'a.txt',
    'b.log.txt',
    'drafts/c.txt',
    '.git/d.txt',
    '~$a.docx',
    'e.tmp',
    'f.swp',
    'g.txt~',
    'h.md.8f2c.partial',
    '.syncthing.i.md.tmp',
    '_docent.yml',
  ])
    put(path)
  writeFileSync(join(folder, '.docentignore'), 'drafts/\n*.log.txt\n')
  expect(await paths()).toEqual(['a.txt'])
})

test('packages and hidden folders hold no documents; .docentignore may let packages in', async () => {
  for (const dir of ['node_modules/pkg', 'sub/node_modules/pkg', '.docent', '.git', 'sub/.cache']) {
    mkdirSync(join(folder, dir), { recursive: true })
    put(`${dir}/README.md`)
  }
  put('a.txt')
  put('node_modules.txt')
  expect(await paths()).toEqual(['a.txt', 'node_modules.txt'])
  writeFileSync(join(folder, '.docentignore'), '!node_modules/\nsub/\n')
  expect(await paths()).toEqual(['a.txt', 'node_modules/pkg/README.md', 'node_modules.txt'])
})

test('a .docentignore in a folder holds below it, over those above, and brings back nothing that a folder above leaves out', async () => {
  for (const dir of ['a/b', 'a/out/deep', 'c']) mkdirSync(join(folder, dir), { recursive: true })
  for (const path of ['a/1.log', 'a/2.txt', 'a/b/1.log', 'a/b/2.txt', 'a/out/deep/3.txt', 'c/1.log', 'c/2.txt', 'c/top.txt']) put(path)
  writeFileSync(join(folder, '.docentignore'), '*.log\nout/\n')
  writeFileSync(join(folder, 'a/.docentignore'), '/2.txt\n!1.log\n')
  writeFileSync(join(folder, 'a/b/.docentignore'), '*.log\n')
  writeFileSync(join(folder, 'a/out/.docentignore'), '!deep/\n!3.txt\n')
  writeFileSync(join(folder, 'c/.docentignore'), '*\n!top.txt\n')
  expect(await paths()).toEqual(['a/1.log', 'a/b/2.txt', 'c/top.txt'])
  const { controls } = await snapshotFolder(options)
  expect(controls.map(({ path }) => path)).toEqual(['.docentignore', 'a/.docentignore', 'a/b/.docentignore', 'c/.docentignore'])
})

test('a nested .docentignore that cannot be read keeps the rules it had', async () => {
  mkdirSync(join(folder, 'a/.docentignore'), { recursive: true })
  put('a/secret.txt')
  const lastRules = new Map([['a/.docentignore', 'secret.txt']])
  expect((await snapshotFolder({ ...options, lastRules })).files).toEqual([])
  expect(await paths()).toEqual(['a/secret.txt'])
})

test('while a _docent.yml is being written nothing is known of what lies below it: not who may read it', async () => {
  mkdirSync(join(folder, 'hr/deep'), { recursive: true })
  for (const path of ['hr/deep/a.txt', 'b.txt']) put(path)
  utimesSync(join(folder, 'b.txt'), 1, 1)
  writeFileSync(join(folder, 'hr/_docent.yml'), 'readers: [hr]')
  const seen = await snapshotFolder({ ...options, settleMs: 60_000, now: Date.now() })
  expect(seen.unsettled).toContain('hr/deep/a.txt')
  const settled = await snapshotFolder({ ...options, settleMs: 0 })
  expect(settled.files.map(({ path }) => path)).toEqual(['b.txt', 'hr/deep/a.txt'])
})

test('a file meant as a _docent.yml under another name is no document, and said', async () => {
  mkdirSync(join(folder, 'hr'))
  for (const path of ['hr/_docent.yaml', '_Docent.yml', 'a.txt']) put(path)
  const { files, controls } = await snapshotFolder(options)
  expect(files.map(({ path }) => path)).toEqual(['a.txt'])
  expect(controls).toEqual(['_Docent.yml', 'hr/_docent.yaml'].map((path) => ({ path, problem: 'it is not read: name it _docent.yml' })))
  const { files: known } = mergeControls([], controls, [])
  expect(
    settingsLookup([...known, { path: 'hr/_docent.yml', content: 'readers: [hr]', problem: null, closed: false }])('hr/a.txt').readers,
  ).toEqual([])
})

test('a _docent.yml whose clock is ahead of ours is read once it has stayed the same for the settle time', async () => {
  mkdirSync(join(folder, 'hr'))
  put('hr/a.txt')
  writeFileSync(join(folder, 'hr/_docent.yml'), 'readers: [hr]')
  const tomorrow = Date.now() / 1000 + 86_400
  utimesSync(join(folder, 'hr/_docent.yml'), tomorrow, tomorrow)
  const look = { ...options, hashes: createHashCache(), settleMs: 30, now: Date.now() }
  expect(await snapshotFolder(look)).toMatchObject({ unsettled: ['hr/a.txt'], controls: [{ path: 'hr/_docent.yml', unsettled: true }] })
  const read = await until('it has settled', async () => {
    const { controls } = await snapshotFolder({ ...look, now: Date.now() })
    return controls.find((control) => 'text' in control)
  })
  expect(read).toEqual({ path: 'hr/_docent.yml', text: 'readers: [hr]' })
})

test('an old Office file fails with what to do, a film is skipped, a newer format is read', async () => {
  for (const path of ['报告.doc', 'b.xls', 'c.ppt', 'd.msg', 'e.mp4', 'f.pptx', 'g.xlsx', 'h.odt', 'i.epub', 'j.eml', 'k.rtf', 'l.jsonl'])
    put(path)
  const files = (await snapshotFolder(options)).files
  const told = Object.fromEntries(files.map((file) => [file.path, file.problem ? `${file.problem.state}(${file.problem.code})` : 'read']))
  expect(told).toEqual({
    ...Object.fromEntries(['报告.doc', 'b.xls', 'c.ppt', 'd.msg'].map((path) => [path, 'failed(unsupported)'])),
    'e.mp4': 'skipped(unsupported)',
    ...Object.fromEntries(['f.pptx', 'g.xlsx', 'h.odt', 'i.epub', 'j.eml', 'k.rtf', 'l.jsonl'].map((path) => [path, 'read'])),
  })
  expect(files.find((file) => file.path === '报告.doc')!.problem!.message).toMatch(/save it as \.docx/)
})

test('a missing folder and a link in its place have no root', async () => {
  renameSync(folder, `${folder}.away`)
  expect((await snapshotFolder(options)).root).toBeUndefined()
  renameSync(`${folder}.away`, folder)
  expect((await snapshotFolder(options)).root).toBeDefined()
})

test('odd names are kept as they are', async () => {
  const names = ['-rf.txt', '; rm -rf.txt', '$(id).txt', 'line\nbreak.txt', '<img onerror>.txt', `${'长'.repeat(83)}.txt`, '   .txt']
  for (const name of names) put(name)
  expect(new Set(await paths())).toEqual(new Set(names))
})

test('of names that differ in their Unicode form only one is read, the one that a reader opens; the others are listed', async () => {
  for (const dir of ['caf\u00e9', 'cafe\u0301', '\u1e9b\u0323']) mkdirSync(join(folder, dir))
  for (const path of ['caf\u00e9/a.txt', 'cafe\u0301/b.txt', '\u1e9b\u0323/u\u0308.txt', 'q\u0323\u0307.txt', 'q\u0307\u0323.txt'])
    put(path)
  put('s\u0307\u0323.txt')
  put('\u1e61\u0323.txt')
  const seen = (await snapshotFolder(options)).files
  const isRead = seen.filter(({ problem }) => !problem).map(({ path }) => path)
  expect(isRead).toEqual(['caf\u00e9/a.txt', 'q\u0323\u0307.txt', '\u1e69.txt', '\u1e9b\u0323/\u00fc.txt'])
  expect(await Promise.all(isRead.map((path) => diskPath(folder, path)))).toEqual([
    'caf\u00e9/a.txt',
    'q\u0323\u0307.txt',
    's\u0307\u0323.txt',
    '\u1e9b\u0323/u\u0308.txt',
  ])
  const left = seen.filter(({ problem }) => problem)
  expect(left.map(({ path }) => path)).toEqual(['cafe\u0301', 'q\u0307\u0323.txt', '\u1e61\u0323.txt'])
  expect(left.every(({ problem }) => problem?.state === 'skipped' && problem.code === 'unreadable')).toBe(true)
  expect(await Promise.all(left.map(({ path }) => diskPath(folder, path)))).toEqual(left.map(({ path }) => path))
})
