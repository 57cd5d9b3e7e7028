import { createHash, randomBytes, randomUUID, timingSafeEqual } from 'node:crypto'
import type { Principal } from '@docent/core/principal'
import { type Pool, rowsOf } from '@docent/kit/postgres'

export type Scope = Principal['scopes'][number]
export type KeyLimits = NonNullable<Principal['limits']>
export type KeyView = {
  id: string
  prefix: string | null
  name: string
  scopes: Scope[]
  collections: string[] | null
  limits: KeyLimits
  createdAt: Date
  expiresAt: Date | null
  rotatedAt: Date | null
  previousUntil: Date | null
  revokedAt: Date | null
}
export type NewKey = {
  name: string
  scopes: Scope[]
  collections?: string[] | undefined
  limits?: KeyLimits | undefined
  expiresAt?: string | undefined
}
export type ApiKeys = ReturnType<typeof createApiKeys>

const view = `id, prefix, name, scopes, collections, budget AS limits, created_at AS "createdAt", expires_at AS "expiresAt",
  rotated_at AS "rotatedAt", previous_until AS "previousUntil", revoked_at AS "revokedAt"`
const written = /^(docent_[0-9a-f]{12})_[\w-]{43}$/

/** Keys of the API: 256 random bits, kept as a hash, found by a prefix that opens nothing. */
export function createApiKeys(pool: Pool) {
  const query = rowsOf(pool)
  return {
    /** `key` is shown this once. */
    async create(key: NewKey): Promise<KeyView & { key: string }> {
      const prefix = `docent_${randomBytes(6).toString('hex')}`
      const secret = secretOf(prefix)
      const [row] = await query<KeyView>(
        `INSERT INTO api_key (id, prefix, hash, name, scopes, collections, budget, expires_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8) RETURNING ${view}`,
        [
          randomUUID(),
          prefix,
          hashOf(secret),
          key.name,
          key.scopes,
          key.collections ?? null,
          JSON.stringify(key.limits ?? {}),
          key.expiresAt ?? null,
        ],
      )
      return { ...row!, key: secret }
    },
    list: () => query<KeyView>(`SELECT ${view} FROM api_key ORDER BY created_at DESC, id`, []),
    /** A new secret for the same key; the old one works for `graceS` seconds more. Undefined for a key that is not, or was revoked. */
    async rotate(id: string, graceS: number): Promise<(KeyView & { key: string }) | undefined> {
      const [known] = await query<{ prefix: string | null }>('SELECT prefix FROM api_key WHERE id = $1 AND revoked_at IS NULL', [id])
      if (!known) return undefined
      const prefix = known.prefix ?? `docent_${randomBytes(6).toString('hex')}`
      const secret = secretOf(prefix)
      const [row] = await query<KeyView>(
        `UPDATE api_key SET previous_hash = hash, previous_until = now() + $4 * interval '1 second', hash = $3, prefix = $2, rotated_at = now()
         WHERE id = $1 AND revoked_at IS NULL RETURNING ${view}`,
        [id, prefix, hashOf(secret), graceS],
      )
      return row && { ...row, key: secret }
    },
    /** At once, and for good; the row stays, because usage names it. */
    async revoke(id: string): Promise<boolean> {
      const rows = await query<{ id: string }>(
        'UPDATE api_key SET revoked_at = now(), previous_hash = NULL WHERE id = $1 AND revoked_at IS NULL RETURNING id',
        [id],
      )
      return rows.length === 1
    },
    /** Who holds this key; undefined when nobody does any more. */
    async identify(key: string): Promise<Principal | undefined> {
      const hash = hashOf(key)
      const prefix = written.exec(key)?.[1]
      const rows = await query<{
        id: string
        hash: Buffer
        previous: Buffer | null
        scopes: Scope[]
        collections: string[] | null
        limits: KeyLimits
      }>(
        `SELECT id, hash, CASE WHEN previous_until > now() THEN previous_hash END AS previous, scopes, collections, budget AS limits
         FROM api_key WHERE (prefix = $1 OR hash = $2 OR previous_hash = $2) AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > now())`,
        [prefix ?? null, hash],
      )
      const row = rows.find((candidate) => same(candidate.hash, hash) || (candidate.previous !== null && same(candidate.previous, hash)))
      if (!row) return undefined
      return {
        id: `key:${row.id}`,
        kind: 'key',
        scopes: row.scopes.includes('admin') ? ['chat', 'read', 'ingest', 'admin'] : row.scopes,
        ...(row.collections ? { collections: row.collections } : {}),
        limits: row.limits,
      }
    },
  }
}

function secretOf(prefix: string): string {
  return `${prefix}_${randomBytes(32).toString('base64url')}`
}

function hashOf(key: string): Buffer {
  return createHash('sha256').update(key).digest()
}

function same(a: Buffer, b: Buffer): boolean {
  return a.length === b.length && timingSafeEqual(a, b)
}
