import { expect, test } from 'vitest'
import { mergeControls, vanishing } from './control-files.ts'
import { collectionDefaults, parseFolderSettings, settingsLookup } from './folder-settings.ts'

const file = (path: string, content: string) => ({ path, content, problem: null, closed: false })

test('settings are inherited from the root down, the nearest folder wins key by key', () => {
  const settingsOf = settingsLookup([
    file('_docent.yml', 'collection: all\nchunk_size: 800\nlanguage: en'),
    file('manuals/_docent.yml', 'collection: manuals\nchunk_overlap: 10'),
    file('manuals/zh/_docent.yml', 'language: zh'),
  ])
  expect(settingsOf('a.txt')).toEqual({ collection: 'all', readers: null, language: 'en', chunkSize: 800, chunkOverlap: null })
  expect(settingsOf('manuals/zh/deep/er/a.txt')).toEqual({
    collection: 'manuals',
    readers: null,
    language: 'zh',
    chunkSize: 800,
    chunkOverlap: 10,
  })
  expect(settingsOf('manuals-other/a.txt').collection).toBe('all')
})

test('without any file everything is as the configuration says', () => {
  expect(settingsLookup([])('a/b.txt')).toEqual({
    collection: 'default',
    readers: null,
    language: null,
    chunkSize: null,
    chunkOverlap: null,
  })
})

test("a collection's defaults stand in the root's file and yield to what a folder says itself", () => {
  const files = [
    file('_docent.yml', 'collections:\n  laws: { language: zh, chunk_size: 1200 }'),
    file('laws/_docent.yml', 'collection: laws'),
    file('laws/short/_docent.yml', 'chunk_size: 300'),
  ]
  expect(settingsLookup(files)('laws/a.txt')).toEqual({
    collection: 'laws',
    readers: null,
    language: 'zh',
    chunkSize: 1200,
    chunkOverlap: null,
  })
  expect(settingsLookup(files)('laws/short/a.txt')).toMatchObject({ language: 'zh', chunkSize: 300 })
  expect(settingsLookup(files)('a.txt')).toMatchObject({ collection: 'default', language: null })
  expect(collectionDefaults(files).get('laws')).toEqual({ language: 'zh', chunkSize: 1200, chunkOverlap: null })
})

test('readers are inherited, replaced by those of a deeper folder, and lifted by everyone', () => {
  const readersOf = (path: string) =>
    settingsLookup([
      file('hr/_docent.yml', 'readers: [hr, board, hr]'),
      file('hr/pay/_docent.yml', 'readers: [board]'),
      file('hr/public/_docent.yml', 'readers: everyone'),
      file('hr/language/_docent.yml', 'language: zh'),
    ])(path).readers
  expect(readersOf('a.txt')).toBeNull()
  expect(readersOf('hr/a.txt')).toEqual(['board', 'hr'])
  expect(readersOf('hr/language/a.txt')).toEqual(['board', 'hr'])
  expect(readersOf('hr/pay/a.txt')).toEqual(['board'])
  expect(readersOf('hr/public/a.txt')).toBeNull()
})

test('an empty file, or one of comments, says nothing', () => {
  for (const text of ['', '# nothing yet\n', '---\n']) expect(parseFolderSettings(text, false)).toEqual({})
})

test.each([
  ['collection: [', 'not YAML'],
  ['a: 1\na: 2', 'not YAML'],
  ['chunksize: 5', 'unknown key chunksize'],
  ['just words', 'key: value'],
  ['- a list', 'key: value'],
  ['chunk_size: big', 'chunk_size: must be a whole number'],
  ['chunk_size: 1', 'at least 100'],
  ['chunk_overlap: 99999', 'at most 1000'],
  ['language: fr', 'zh or en'],
  ['collection: 2024', 'put it into quotes'],
  ['collection: "../x"', 'collection: must be'],
  ['readers: hr', 'readers: must be a list of groups, or everyone'],
  ['readers: []', 'readers: must be a list of groups, or everyone'],
  ['readers: [""]', 'readers'],
  ['collections: {}', 'unknown key collections'],
  [
    `a: &a [x, x]\n${'bcdefghij'.replace(/./g, (c, i) => `${c}: &${c} [*${'abcdefghi'[i as number]}, *${'abcdefghi'[i as number]}]\n`)}`,
    '',
  ],
])('%j is refused with the reason', (text, reason) => {
  expect(parseFolderSettings(text, false)).toEqual({ problem: expect.stringContaining(reason) })
})

test('a text that is not understood leaves the one before in force; a deleted file says nothing any more', () => {
  const known = [
    file('a/_docent.yml', 'collection: one'),
    file('b/_docent.yml', 'collection: two'),
    file('closed/_docent.yml', 'language: zh'),
  ]
  const merged = mergeControls(known, [{ path: 'a/_docent.yml', text: 'collection: [' }], ['closed'])
  expect(merged.files).toEqual([
    file('closed/_docent.yml', 'language: zh'),
    { path: 'a/_docent.yml', content: 'collection: one', problem: expect.stringContaining('a/_docent.yml: not YAML'), closed: false },
  ])
  expect(merged.changed.map(({ path }) => path)).toEqual(['a/_docent.yml'])
  expect(merged.gone).toEqual(['b/_docent.yml'])
  expect(mergeControls(merged.files, [{ path: 'a/_docent.yml', unsettled: true }], ['closed']).changed).toEqual([])
})

test.each([
  ['never understood, and it may name readers', null, 'raeders: [hr]', true],
  ['never understood, and its readers are a word', null, 'readers: hr', true],
  ['never understood, no YAML', null, 'collection: [', true],
  ['never understood, but another value is wrong', null, 'chunk_size: 1', false],
  ['readers are added beside a bad value', 'collection: a', 'collection: a\nreaders: [hr]\nchunk_size: 1', true],
  ['readers are added in broken YAML', 'collection: a', 'collection: [a\nreaders: [hr]', true],
  ['readers are added under a misspelt key', 'collection: a', 'collection: a\nReaders: [hr]', true],
  ['other readers than before', 'readers: [hr, board]', 'readers: [hr]\nchunk_size: 1', true],
  ['the same readers', 'readers: [hr]', 'readers: [hr]\nchunk_size: 1', false],
  ['it would open the folder, and does not', 'readers: [hr]', 'readers: everyone\nchunk_size: 1', false],
  ['a bad value, and no readers before or after', 'collection: a', 'chunk_size: 1', false],
  ['no YAML, and no word of readers', 'collection: a', 'collection: [', false],
])('a _docent.yml that cannot be followed, %s: closed is %4$s', (_case, before, text, closed) => {
  const known = before === null ? [] : [file('hr/_docent.yml', before)]
  const { files } = mergeControls(known, [{ path: 'hr/_docent.yml', text }], [])
  expect(files).toMatchObject([{ content: before, closed }])
  if (closed) expect(files[0]!.problem).toContain('only the admin')
  const { readers } = settingsLookup([...files, file('hr/open/_docent.yml', 'readers: everyone')])('hr/a.txt')
  expect(readers).toEqual(closed ? [] : before?.includes('readers') ? ['hr'] : null)
})

test('a _docent.yml that was never readable closes its folder; one that was keeps what it said', () => {
  const seen = [{ path: 'hr/_docent.yml', problem: 'it is not UTF-8 text' }]
  const readersOf = (files: Parameters<typeof mergeControls>[0]) => settingsLookup(mergeControls(files, seen, []).files)('hr/a.txt').readers
  expect(readersOf([])).toEqual([])
  expect(readersOf([file('hr/_docent.yml', 'readers: [hr]')])).toEqual(['hr'])
  expect(readersOf([{ ...file('hr/_docent.yml', 'collection: a'), closed: true }])).toEqual([])
})

test('a _docent.yml that is taken away counts as being written for the settle time, one in a closed folder and a .docentignore do not', () => {
  const known = ['hr/_docent.yml', 'shut/_docent.yml', '.docentignore'].map((path) => file(path, ''))
  const since = new Map<string, number>()
  const look = (now: number, controls = [] as { path: string; text: string }[]) =>
    vanishing(known, { controls, unknown: ['shut'] }, since, 100, now)
  expect(look(0)).toEqual([{ path: 'hr/_docent.yml', unsettled: true }])
  expect(look(90)).toHaveLength(1)
  expect(look(95, [{ path: 'hr/_docent.yml', text: '' }])).toEqual([])
  expect(look(150)).toHaveLength(1)
  expect(look(260)).toEqual([])
})
