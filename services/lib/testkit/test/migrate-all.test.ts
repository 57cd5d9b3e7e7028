import { cpSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { ConfigError } from '@docent/kit/config'
import { migrateAll } from '@docent/kit/migrate-all'
import pg from 'pg'
import { afterAll, expect, inject, test } from 'vitest'
import { ownDatabase } from '../src/own-database.ts'
import { tempDatabase } from '../src/temp-database.ts'

const scope = new AsyncDisposableStack()
afterAll(() => scope.disposeAsync())

async function ask(url: string, sql: string): Promise<unknown[]> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    return (await client.query(sql)).rows
  } finally {
    await client.end()
  }
}

test('several databases of one server are migrated at once, and one twice at once', async () => {
  const admin = inject('stores').databaseUrl
  const all = await Promise.all(Array.from({ length: 4 }, () => tempDatabase(admin, scope, { empty: true })))
  for (const { corpusUrl, chatUrl } of all) {
    expect(await ask(corpusUrl, 'SELECT count(*)::int AS n FROM document')).toEqual([{ n: 0 }])
    expect(await ask(chatUrl, 'SELECT count(*)::int AS n FROM message')).toEqual([{ n: 0 }])
  }
  const adminUrl = await ownDatabase(admin, scope, { empty: true })
  const [corpusPassword, chatPassword] = [new URL(all[0]!.corpusUrl).password, new URL(all[0]!.chatUrl).password]
  const run = () =>
    migrateAll({
      adminUrl,
      corpusPassword,
      chatPassword,
      corpusDir: new URL('../../corpus/migrations/', import.meta.url),
      chatDir: new URL('../../../gateway/migrations/', import.meta.url),
      log: () => undefined,
    })
  const [first] = await Promise.all([run(), run()])
  await run()
  expect(await ask(first.corpusUrl, 'SHOW search_path')).toEqual([{ search_path: 'corpus' }])
})

test('neither app role reaches the other schema or changes its own', async () => {
  const { corpusUrl, chatUrl } = await tempDatabase(inject('stores').databaseUrl, scope)
  for (const [url, sql] of [
    [corpusUrl, 'SELECT * FROM chat.message'],
    [chatUrl, 'SELECT * FROM corpus.document'],
    [corpusUrl, 'DROP TABLE document'],
    [chatUrl, 'DROP TABLE message'],
    [chatUrl, 'CREATE TABLE chat.more ()'],
    [chatUrl, 'ALTER TABLE message ADD more int'],
  ] as const) {
    await expect(ask(url, sql), sql).rejects.toMatchObject({ code: '42501' })
  }
})

test('a database of a newer version is refused by name, and left as it is', async () => {
  const admin = inject('stores').databaseUrl
  const { corpusUrl, chatUrl } = await tempDatabase(admin, scope)
  const adminUrl = await ownDatabase(admin, scope, { empty: true })
  const older = mkdtempSync(join(tmpdir(), 'docent-older-'))
  scope.defer(() => rmSync(older, { recursive: true, force: true }))
  const chatDir = new URL('../../../gateway/migrations/', import.meta.url)
  const newest = readdirSync(chatDir).sort().at(-1)!
  cpSync(chatDir, older, { recursive: true, filter: (path) => !path.endsWith(newest) })
  const run = (dir: URL) =>
    migrateAll({
      adminUrl,
      corpusPassword: new URL(corpusUrl).password,
      chatPassword: new URL(chatUrl).password,
      corpusDir: new URL('../../corpus/migrations/', import.meta.url),
      chatDir: dir,
      log: () => undefined,
    })
  await run(chatDir)
  const refused = run(pathToFileURL(`${older}/`))
  await expect(refused).rejects.toBeInstanceOf(ConfigError)
  await expect(refused).rejects.toThrow(`The database is newer than this version of Docent (chat: ${newest.replace('.sql', '')})`)
  const [{ n }] = (await ask(adminUrl, 'SELECT count(*)::int AS n FROM chat.migration')) as [{ n: number }]
  expect(n).toBe(readdirSync(chatDir).length)
})
