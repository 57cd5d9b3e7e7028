import { randomUUID } from 'node:crypto'
import { AppError } from '@docent/core/errors'
import type { Passage, Source } from '@docent/core/passage'
import { placeOf } from '@docent/core/place'
import { databaseError, inTransaction, type Pool, rowsOf } from '@docent/kit/postgres'
import type { FileText } from '../clients/read-file.ts'
import type { AnswerBody } from './messages.ts'

export type AttachmentView = {
  id: string
  name: string
  mediaType: string
  pages: number | null
  characters: number
  createdAt: Date
  expiresAt: Date
}
export type AttachedText = { attachment: string; ordinal: number; text: string; header: string }
export type Attachments = ReturnType<typeof createAttachments>

/**
 * The text of files that belong to one conversation. Every read names the conversation, and what is older than `days` is not read
 * any more, whether it was deleted already or not.
 */
export function createAttachments(pool: Pool, limits: { days: number; most: number }) {
  const query = rowsOf(pool)
  const view = `id, name, media_type AS "mediaType", pages, characters, created_at AS "createdAt",
    created_at + ${limits.days} * interval '1 day' AS "expiresAt"`
  const fresh = `created_at > now() - ${limits.days} * interval '1 day'`
  return {
    /** Errors: conflict when the conversation has its most, not_found when it was deleted. */
    async add(conversation: string, file: FileText): Promise<AttachmentView> {
      try {
        return await inTransaction(pool, async (client) => {
          // those that come at the same time wait for each other here
          const { rowCount } = await client.query('SELECT FROM conversation WHERE id = $1 FOR UPDATE', [conversation])
          if (rowCount !== 1) throw new AppError('not_found', 'There is no such conversation.')
          const { rows: held } = await client.query(`SELECT FROM attachment WHERE conversation = $1 AND ${fresh}`, [conversation])
          if (held.length >= limits.most) throw tooMany(limits.most)
          const id = randomUUID()
          const { rows } = await client.query<AttachmentView>(
            `INSERT INTO attachment (id, conversation, name, title, media_type, pages, characters) VALUES ($1, $2, $3, $4, $5, $6, $7)
             RETURNING ${view}`,
            [id, conversation, file.name, file.title ?? file.name, file.mediaType, file.pages ?? null, file.characters],
          )
          await client.query(
            `INSERT INTO attachment_chunk (attachment, ordinal, text, header, locator, parent)
             SELECT $1, * FROM unnest($2::int[], $3::text[], $4::text[], $5::jsonb[], $6::jsonb[])`,
            [
              id,
              file.chunks.map(({ ordinal }) => ordinal),
              file.chunks.map(({ text }) => text),
              file.chunks.map(({ header }) => header),
              file.chunks.map(({ locator }) => JSON.stringify(locator)),
              file.chunks.map(({ parent }) => JSON.stringify(parent)),
            ],
          )
          return rows[0]!
        })
      } catch (error) {
        throw databaseError(error)
      }
    },
    list: (conversation: string) =>
      query<AttachmentView>(`SELECT ${view} FROM attachment WHERE conversation = $1 AND ${fresh} ORDER BY created_at, id`, [conversation]),
    /** The ended answers that showed passages of it; undefined when the conversation has no such file. */
    async remove(conversation: string, id: string): Promise<string[] | undefined> {
      const { count, answers } = await forget(pool, 'conversation = $1 AND id = $2', [conversation, id])
      return count === 1 ? answers : undefined
    },
    isThere: async (id: string): Promise<boolean> =>
      (await query(`SELECT id FROM attachment WHERE id = $1 AND ${fresh}`, [id])).length === 1,
    texts: (conversation: string) =>
      query<AttachedText>(
        `SELECT k.attachment, k.ordinal, k.text, k.header FROM attachment a JOIN attachment_chunk k ON k.attachment = a.id
         WHERE a.conversation = $1 AND ${fresh} ORDER BY a.created_at, a.id, k.ordinal`,
        [conversation],
      ),
    /** The passages of these chunks, in the order asked for; the score is the caller's. */
    async passages(conversation: string, wanted: readonly { attachment: string; ordinal: number; score: number }[]): Promise<Passage[]> {
      const rows = await query<ChunkRow>(
        `SELECT a.id, a.name, a.title, a.media_type, k.ordinal, k.text, k.locator, k.parent
         FROM unnest($2::uuid[], $3::int[]) AS w (attachment, ordinal) JOIN attachment_chunk k USING (attachment, ordinal)
         JOIN attachment a ON a.id = k.attachment AND a.conversation = $1 AND ${fresh}`,
        [conversation, wanted.map(({ attachment }) => attachment), wanted.map(({ ordinal }) => ordinal)],
      )
      return wanted.flatMap(({ attachment, ordinal, score }) => {
        const row = rows.find((one) => one.id === attachment && one.ordinal === ordinal)
        return row ? [passageOf(row, score)] : []
      })
    },
    async deleteOld(): Promise<number> {
      return (await forget(pool, `NOT (${fresh})`, [])).count
    },
  }
}

/** Deletes attachments with the passages that answers of their conversation, and of branches of it, show of them. */
async function forget(pool: Pool, which: string, values: unknown[]): Promise<{ count: number; answers: string[] }> {
  return inTransaction(pool, async (client) => {
    const { rows: gone } = await client.query<{ id: string; conversation: string }>(
      `DELETE FROM attachment WHERE ${which} RETURNING id, conversation`,
      values,
    )
    const ids = new Set(gone.map(({ id }) => id))
    const { rows: answers } = await client.query<{ id: string; state: string; body: AnswerBody }>(
      `WITH RECURSIVE place AS (
         SELECT id FROM conversation WHERE id = ANY ($1) UNION SELECT c.id FROM conversation c JOIN place p ON c.parent = p.id)
       SELECT m.id, m.state, m.body FROM message m JOIN place p ON p.id = m.conversation
       WHERE EXISTS (SELECT FROM citation c WHERE c.answer = m.id AND c.document = ANY ($2)) FOR UPDATE OF m`,
      [[...new Set(gone.map(({ conversation }) => conversation))], [...ids]],
    )
    for (const { id, body } of answers) {
      await client.query(
        `UPDATE citation SET passage = '', source = source || '{"snippet": ""}' WHERE answer = $1 AND document = ANY ($2)`,
        [id, [...ids]],
      )
      await client.query('UPDATE message SET body = body || $2::jsonb WHERE id = $1', [id, JSON.stringify(blanked(body, ids))])
    }
    return { count: gone.length, answers: answers.filter(({ state }) => state !== 'streaming').map(({ id }) => id) }
  })
}

/** What an answer keeps of its sources, in its body and in its events. */
function blanked({ sources, log }: AnswerBody, ids: ReadonlySet<string>): Partial<AnswerBody> {
  const blank = (source: Source): Source => (ids.has(source.documentId) ? { ...source, snippet: '' } : source)
  return {
    ...(sources ? { sources: sources.map(blank) } : {}),
    ...(log
      ? {
          log: log.map((entry) => {
            if (typeof entry === 'number' || entry[0] !== 'sources') return entry
            const told = JSON.parse(entry[1]) as { sources: Source[] }
            return ['sources', JSON.stringify({ ...told, sources: told.sources.map(blank) })]
          }),
        }
      : {}),
  }
}

export function tooMany(most: number): AppError {
  return new AppError('conflict', `A conversation may have ${most} attachments; delete one, or put the files into the folder.`)
}

type ChunkRow = {
  id: string
  name: string
  title: string
  media_type: string
  ordinal: number
  text: string
  locator: FileText['chunks'][number]['locator']
  parent: Passage['parent']
}

function passageOf(row: ChunkRow, score: number): Passage {
  const { heading, start, end } = row.locator
  return {
    documentId: row.id,
    version: 1,
    chunkId: `${row.id}/${row.ordinal}`,
    path: row.name,
    title: row.title,
    mediaType: row.media_type,
    ...placeOf(row.locator),
    ...(heading.length > 0 ? { heading: heading.join(' › ') } : {}),
    start,
    end,
    text: row.text,
    parent: row.parent,
    snippet: row.text.slice(0, 240).toWellFormed(),
    score,
    scores: { fused: score },
  }
}
