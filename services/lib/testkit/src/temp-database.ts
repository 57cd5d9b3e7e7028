import { derivedPassword, migrateAll } from '@docent/kit/migrate-all'
import { ownDatabase } from './own-database.ts'

/** A freshly migrated database of its own with its app roles, dropped at the end; `empty` as in `ownDatabase`: every migration runs. */
export async function tempDatabase(
  adminUrl: string,
  scope: AsyncDisposableStack,
  options: { empty?: boolean } = {},
): Promise<{ ownerUrl: string; corpusUrl: string; chatUrl: string }> {
  const ownerUrl = await ownDatabase(adminUrl, scope, options)
  return { ownerUrl, ...(await migrateTemp(adminUrl, ownerUrl)) }
}

/** All migrations, in the database at `ownerUrl`. */
export function migrateTemp(adminUrl: string, ownerUrl: string): Promise<{ corpusUrl: string; chatUrl: string }> {
  return migrateAll({
    adminUrl: ownerUrl,
    // roles belong to the whole server, so every database of a test run has to give them the same passwords
    corpusPassword: derivedPassword(adminUrl, 'corpus'),
    chatPassword: derivedPassword(adminUrl, 'chat'),
    corpusDir: new URL('../../corpus/migrations/', import.meta.url),
    chatDir: new URL('../../../gateway/migrations/', import.meta.url),
    log: () => undefined,
  })
}
