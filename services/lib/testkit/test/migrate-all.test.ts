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
  const all = await Promise.all(Array.from({ length: 4 }, () => tempDatabase(admin, scope)))
  for (const { corpusUrl, chatUrl } of all) {
    expect(await ask(corpusUrl, 'SELECT count(*)::int AS n FROM document')).toEqual([{ n: 0 }])
    expect(await ask(chatUrl, 'SELECT count(*)::int AS n FROM message')).toEqual([{ n: 0 }])
  }
  const adminUrl = await ownDatabase(admin, scope)
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
