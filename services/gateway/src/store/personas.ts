import { databaseError, type Pool } from '@docent/kit/postgres'

export type Persona = { id: string; version: number; title: string; prompt: string }
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

/** Personas shipped with the code, and those of the owner, which win over a shipped one of the same id. */
export function createPersonas(pool: Pool) {
  let cached: { at: number; all: Persona[] } | undefined
  async function list(): Promise<Persona[]> {
    if (cached && performance.now() - cached.at < 5_000) return cached.all
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
  return { list, find: async (id: string): Promise<Persona | undefined> => (await list()).find((persona) => persona.id === id) }
}
