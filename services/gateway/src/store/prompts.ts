import { randomUUID } from 'node:crypto'
import { AppError } from '@docent/core/errors'
import { databaseError, type Pool } from '@docent/kit/postgres'

export type PromptView = { id: string; version: number; name: string; content: string; createdAt: Date }

const view = 'id, version, name, content, created_at AS "createdAt"'

/** Named prompts; a change is a new version, a deletion one that says so. */
export function createPrompts(pool: Pool) {
  const query = async <R extends object>(sql: string, values: unknown[]) => {
    try {
      return (await pool.query<R>(sql, values)).rows
    } catch (error) {
      throw databaseError(error)
    }
  }
  async function find(id: string): Promise<PromptView | undefined> {
    const [row] = await query<PromptView & { deleted: boolean }>(
      `SELECT ${view}, deleted FROM prompt WHERE id = $1 ORDER BY version DESC LIMIT 1`,
      [id],
    )
    if (!row || row.deleted) return undefined
    const { deleted: _deleted, ...prompt } = row
    return prompt
  }
  /** `version` follows the one that was read: of two changes made at the same time the second is refused. */
  async function add(id: string, version: number, prompt: { name: string; content: string }, deleted: boolean): Promise<PromptView> {
    const [added] = await query<PromptView>(
      `INSERT INTO prompt (id, version, name, content, deleted) VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING RETURNING ${view}`,
      [id, version, prompt.name, prompt.content, deleted],
    )
    if (!added) throw new AppError('conflict', 'This prompt was changed at the same time; read it again.')
    return added
  }
  return {
    find,
    async list(): Promise<PromptView[]> {
      return query<PromptView>(
        `SELECT ${view} FROM (SELECT DISTINCT ON (id) * FROM prompt ORDER BY id, version DESC) p WHERE NOT deleted ORDER BY name, id`,
        [],
      )
    },
    async create(prompt: { name: string; content: string }): Promise<PromptView> {
      return add(randomUUID(), 1, prompt, false)
    },
    async change(id: string, patch: { name?: string | undefined; content?: string | undefined }): Promise<PromptView | undefined> {
      const found = await find(id)
      return found && add(id, found.version + 1, { name: patch.name ?? found.name, content: patch.content ?? found.content }, false)
    },
    async remove(id: string): Promise<boolean> {
      const found = await find(id)
      if (found) await add(id, found.version + 1, found, true)
      return found !== undefined
    },
  }
}
