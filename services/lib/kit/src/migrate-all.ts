import { createHash } from 'node:crypto'
import { readdir } from 'node:fs/promises'
import { parse } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import { ConfigError } from './config.ts'
import { migrate } from './postgres.ts'

export type MigrateAll = {
  adminUrl: string
  corpusPassword: string
  chatPassword: string
  corpusDir: URL
  chatDir: URL
  log: (line: string) => void
}

// two runs on one database wait for each other; roles belong to the whole server, where `settleRole` tries again instead
const LOCK = 7_310_451

/**
 * Makes the app roles, both schemas and their tables; the roles may read and write rows of their own schema and nothing else.
 * Safe to repeat and to run twice at once, on one database or on several of one server. Returns the URLs of the app roles.
 */
export async function migrateAll({
  adminUrl,
  corpusPassword,
  chatPassword,
  corpusDir,
  chatDir,
  log,
}: MigrateAll): Promise<{ corpusUrl: string; chatUrl: string }> {
  const admin = new pg.Client({ connectionString: adminUrl })
  await admin.connect()
  try {
    await admin.query('SELECT pg_advisory_lock($1)', [LOCK])
    const { rows } = await admin.query<{ name: string }>('SELECT current_database() AS name')
    const database = admin.escapeIdentifier(rows[0]!.name)
    const parts = [
      { role: 'docent_corpus', schema: 'corpus', password: corpusPassword, dir: corpusDir },
      { role: 'docent_chat', schema: 'chat', password: chatPassword, dir: chatDir },
    ]
    await refuseNewer(admin, parts)
    for (const { role, schema, password, dir } of parts) {
      await settleRole(admin, role, password)
      await migrate(adminUrl, { dir, schema, log })
      for (const statement of [
        `ALTER ROLE ${role} IN DATABASE ${database} SET search_path = ${schema}`,
        `GRANT CONNECT ON DATABASE ${database} TO ${role}`,
        `GRANT USAGE ON SCHEMA ${schema} TO ${role}`,
        `GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA ${schema} TO ${role}`,
        `GRANT USAGE ON ALL SEQUENCES IN SCHEMA ${schema} TO ${role}`,
        `REVOKE ALL ON ${schema}.migration FROM ${role}`,
      ]) {
        await persist(() => admin.query(statement))
      }
    }
    await persist(() => admin.query('REVOKE CREATE ON SCHEMA public FROM PUBLIC'))
  } finally {
    await admin.end()
  }
  return { corpusUrl: asRole(adminUrl, 'docent_corpus', corpusPassword), chatUrl: asRole(adminUrl, 'docent_chat', chatPassword) }
}

/** A role's password that follows from the server and its secret: for databases that share one server and its roles. */
export function derivedPassword(adminUrl: string, role: 'corpus' | 'chat'): string {
  const { username, password, host } = new URL(adminUrl)
  return createHash('sha256').update(`${role}:${username}:${password}:${host}`).digest('hex').slice(0, 48)
}

/**
 * An older version must not write into tables that it does not know: it would miss what the newer one keeps in them.
 * Errors: ConfigError, with what to do.
 */
async function refuseNewer(admin: pg.Client, parts: readonly { schema: string; dir: URL }[]): Promise<void> {
  const unknown: string[] = []
  for (const { schema, dir } of parts) {
    const { rows: found } = await admin.query('SELECT to_regclass($1) AS found', [`${schema}.migration`])
    if (found[0].found === null) continue
    const known = new Set((await readdir(dir)).map((name) => parse(name).name))
    const { rows } = await admin.query<{ name: string }>(`SELECT name FROM ${schema}.migration ORDER BY id`)
    unknown.push(...rows.filter(({ name }) => !known.has(name)).map(({ name }) => `${schema}: ${name}`))
  }
  if (unknown.length === 0) return
  throw new ConfigError(
    `The database is newer than this version of Docent (${unknown.join(', ')}). Nothing was changed. Go on with the newer version, or restore the backup made before the upgrade.`,
  )
}

/** DDL takes no parameters: the name is a constant above, the password is quoted by the driver. */
async function settleRole(admin: pg.Client, role: string, password: string): Promise<void> {
  await persist(async () => {
    const { rowCount } = await admin.query('SELECT 1 FROM pg_roles WHERE rolname = $1', [role])
    const attributes = `LOGIN PASSWORD ${admin.escapeLiteral(password)} NOSUPERUSER NOCREATEDB NOCREATEROLE NOBYPASSRLS`
    await admin.query(rowCount ? `ALTER ROLE ${role} ${attributes}` : `CREATE ROLE ${role} ${attributes}`)
  })
}

/** Another database's run may touch the same row of the server's catalogue in the same moment; the statements may be repeated. */
async function persist(act: () => Promise<unknown>): Promise<void> {
  for (let tries = 1; ; tries++) {
    try {
      await act()
      return
    } catch (error) {
      const { code, message } = error as { code?: string; message?: string }
      const met = code === '42710' || code === '23505' || (code === 'XX000' && message?.includes('concurrently'))
      if (!met || tries === 20) throw error
      await sleep(20 * tries)
    }
  }
}

function asRole(adminUrl: string, role: string, password: string): string {
  const url = new URL(adminUrl)
  url.username = role
  url.password = password
  return url.href
}
