import { AppError } from '@docent/core/errors'
import { databaseError, type Pool } from '@docent/kit/postgres'

export type Persona = { id: string; version: number; title: string; prompt: string }
export type PersonaVersion = Persona & { createdAt: Date; deleted: boolean }
export type Personas = ReturnType<typeof createPersonas>

const shipped: readonly Persona[] = [
  {
    id: 'neutral',
    version: 0,
    title: 'Neutral',
    prompt: 'You are a careful assistant for a collection of documents. Be brief, exact and friendly.',
  },
  {
    id: 'first-person',
    version: 0,
    title: 'First person (example)',
    prompt: 'You speak in the first person as the owner of these documents, as “I”: warm, direct and honest about what you do not know.',
  },
]
const FRESH_MS = 5_000
const view = 'id, version, title, prompt, deleted, created_at AS "createdAt"'

/** Personas shipped with the code, and those of the owner, which win over a shipped one of the same id. A change is a new version. */
export function createPersonas(pool: Pool) {
  let cached: { at: number; all: Persona[] } | undefined
  async function list(): Promise<Persona[]> {
    if (cached && performance.now() - cached.at < FRESH_MS) return cached.all
    try {
      const { rows } = await pool.query<Persona & { deleted: boolean }>(
        'SELECT DISTINCT ON (id) id, version, title, prompt, deleted FROM persona ORDER BY id, version DESC',
      )
      const own = rows.filter((row) => !row.deleted).map(({ deleted: _deleted, ...persona }) => persona)
      const all = [...shipped.filter((persona) => !own.some((other) => other.id === persona.id)), ...own]
      cached = { at: performance.now(), all }
      return all
    } catch (error) {
      throw databaseError(error)
    }
  }
  const find = async (id: string): Promise<Persona | undefined> => (await list()).find((persona) => persona.id === id)

  async function add(persona: { id: string; title: string; prompt: string }, deleted: boolean): Promise<Persona> {
    try {
      const { rows } = await pool.query<Persona>(
        `INSERT INTO persona (id, version, title, prompt, deleted)
         VALUES ($1, (SELECT coalesce(max(version), 0) + 1 FROM persona WHERE id = $1), $2, $3, $4) RETURNING id, version, title, prompt`,
        [persona.id, persona.title, persona.prompt, deleted],
      )
      return rows[0]!
    } catch (error) {
      // two changes made at the same time took the same number
      if ((error as { code?: string }).code === '23505')
        throw new AppError('conflict', 'This persona was changed at the same time; read it again.')
      throw databaseError(error)
    } finally {
      cached = undefined
    }
  }

  async function fresh(id: string): Promise<Persona | undefined> {
    cached = undefined
    return find(id)
  }

  return {
    list,
    find,
    isShipped: (id: string): boolean => shipped.some((persona) => persona.id === id),
    async create(persona: { id: string; title: string; prompt: string }): Promise<Persona> {
      if (await fresh(persona.id)) throw new AppError('conflict', `There is a persona "${persona.id}" already; change it with PATCH.`)
      return add(persona, false)
    },
    async change(id: string, patch: { title?: string | undefined; prompt?: string | undefined }): Promise<Persona | undefined> {
      const found = await fresh(id)
      return found && add({ id, title: patch.title ?? found.title, prompt: patch.prompt ?? found.prompt }, false)
    },
    /** A shipped one comes back as it was shipped. */
    async remove(id: string): Promise<boolean> {
      const found = await fresh(id)
      if (!found || found.version === 0) return false
      await add(found, true)
      return true
    },
    /** Newest first. Version 0 is the shipped one. */
    async versions(id: string): Promise<PersonaVersion[]> {
      try {
        const { rows } = await pool.query<PersonaVersion>(`SELECT ${view} FROM persona WHERE id = $1 ORDER BY version DESC`, [id])
        const first = shipped.find((persona) => persona.id === id)
        return [...rows, ...(first ? [{ ...first, deleted: false, createdAt: new Date(0) }] : [])]
      } catch (error) {
        throw databaseError(error)
      }
    },
  }
}
