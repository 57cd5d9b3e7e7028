import { isDeepStrictEqual } from 'node:util'
import { AppError } from '@docent/core/errors'
import { databaseError, type Pool } from '@docent/kit/postgres'
import { createFresh } from './fresh.ts'
import type { PersonaSettings } from './settings.ts'

/** One text for all, or one for each language of a question. */
export type Words = string | { zh: string; en: string }
/**
 * What a persona changes: settings win over those of all, collections are all it answers from (null: all). How it speaks (`tone`), what
 * it says first (`greeting`) and where the documents hold no answer (`refusal`) are null where it has no such words. While nothing can be
 * searched a model answers for it without sources (`answersWithoutSources`), or nobody.
 */
export type PersonaContent = {
  title: string
  prompt: string
  settings: PersonaSettings
  collections: string[] | null
  tone: string | null
  greeting: Words | null
  refusal: Words | null
  answersWithoutSources: boolean
}
export type Persona = PersonaContent & { id: string; version: number }
/** Names what is to be others; what it does not name stays. */
export type PersonaPatch = { [name in keyof PersonaContent]?: PersonaContent[name] | undefined }
export type PersonaVersion = Persona & { createdAt: Date; deleted: boolean }
export type Personas = ReturnType<typeof createPersonas>

const plain = { settings: {}, collections: null, tone: null, greeting: null, refusal: null, answersWithoutSources: false }
const shipped: readonly Persona[] = [
  {
    id: 'neutral',
    version: 0,
    title: 'Neutral',
    prompt: 'You are a careful assistant for a collection of documents. Be brief, exact and friendly.',
    ...plain,
  },
  {
    id: 'first-person',
    version: 0,
    title: 'First person (example)',
    prompt: 'You speak in the first person as the owner of these documents, as “I”: warm, direct and honest about what you do not know.',
    ...plain,
  },
]
const FRESH_MS = 5_000
const columns =
  'id, version, title, prompt, settings, collections, tone, greeting, refusal, answers_without_sources AS "answersWithoutSources"'
const view = `${columns}, deleted, created_at AS "createdAt"`

export function patched(persona: Persona, patch: PersonaPatch): Persona {
  return { ...persona, ...Object.fromEntries(Object.entries(patch).filter(([, value]) => value !== undefined)) }
}

/** Personas shipped with the code, and those of the owner, which win over a shipped one of the same id. A change is a new version. */
export function createPersonas(pool: Pool) {
  const fresh = createFresh(async () => {
    try {
      const { rows } = await pool.query<Persona & { deleted: boolean }>(
        `SELECT DISTINCT ON (id) ${columns}, deleted FROM persona ORDER BY id, version DESC`,
      )
      const own = rows.filter((row) => !row.deleted).map(({ deleted: _deleted, ...persona }) => persona)
      return [...shipped.filter((persona) => !own.some((other) => other.id === persona.id)), ...own]
    } catch (error) {
      throw databaseError(error)
    }
  }, FRESH_MS)
  const list = fresh.get
  const find = async (id: string): Promise<Persona | undefined> => (await list()).find((persona) => persona.id === id)

  async function add(persona: PersonaContent & { id: string }, deleted: boolean): Promise<Persona> {
    try {
      const { rows } = await pool.query<Persona>(
        `INSERT INTO persona (id, version, title, prompt, deleted, settings, collections, tone, greeting, refusal, answers_without_sources)
         VALUES ($1, (SELECT coalesce(max(version), 0) + 1 FROM persona WHERE id = $1), $2, $3, $4, $5, $6, $7, $8, $9, $10) RETURNING ${columns}`,
        [
          persona.id,
          persona.title,
          persona.prompt,
          deleted,
          JSON.stringify(persona.settings),
          persona.collections,
          persona.tone,
          persona.greeting && JSON.stringify(persona.greeting),
          persona.refusal && JSON.stringify(persona.refusal),
          persona.answersWithoutSources,
        ],
      )
      return rows[0]!
    } catch (error) {
      // two changes made at the same time took the same number
      if ((error as { code?: string }).code === '23505')
        throw new AppError('conflict', 'This persona was changed at the same time; read it again.')
      throw databaseError(error)
    } finally {
      fresh.forget()
    }
  }

  async function newest(id: string): Promise<Persona | undefined> {
    fresh.forget()
    return find(id)
  }

  return {
    list,
    find,
    isShipped: (id: string): boolean => shipped.some((persona) => persona.id === id),
    async create(persona: PersonaContent & { id: string }): Promise<Persona> {
      if (await newest(persona.id)) throw new AppError('conflict', `There is a persona "${persona.id}" already; change it with PATCH.`)
      return add(persona, false)
    },
    /** A new version, unless it is so already. */
    async change(id: string, patch: PersonaPatch): Promise<Persona | undefined> {
      const found = await newest(id)
      const wanted = found && patched(found, patch)
      return wanted && (isDeepStrictEqual(wanted, found) ? found : add(wanted, false))
    },
    /** Makes it so: a new persona, a new version, or nothing when it is so already. */
    async put(id: string, content: PersonaContent): Promise<{ persona: Persona; outcome: 'created' | 'changed' | 'unchanged' }> {
      const found = await newest(id)
      if (!found) return { persona: await add({ id, ...content }, false), outcome: 'created' }
      const { id: _id, version: _version, ...before } = found
      if (isDeepStrictEqual(before, content)) return { persona: found, outcome: 'unchanged' }
      return { persona: await add({ id, ...content }, false), outcome: 'changed' }
    },
    /** A shipped one comes back as it was shipped. */
    async remove(id: string): Promise<boolean> {
      const found = await newest(id)
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
