import { embedText } from '@docent/core/chunk'
import type { Corpus } from './corpus.ts'
import type { Asks, Database } from './database.ts'

/** The texts that are searched, and which of them a model has no vector of. Read anew each time: what was made is never made again. */
export function createMissingTexts(database: Database): Pick<Corpus, 'countTexts' | 'missingTexts'> {
  return {
    countTexts: (model) => missingOf(database, model),
    async missingTexts(model, after, limit) {
      const { rows } = await database.query<{ text_hash: string; header: string; text: string }>(
        `SELECT DISTINCT ON (c.text_hash) c.text_hash, c.header, c.text ${fromSearched} AND c.text_hash > $2 AND ${lacksVector}
         ORDER BY c.text_hash LIMIT $3`,
        [model, after, limit],
      )
      return rows.map(({ text_hash, ...chunk }) => ({ textHash: text_hash, text: embedText(chunk) }))
    },
  }
}

export async function missingOf(asks: Asks, model: string): ReturnType<Corpus['countTexts']> {
  const { rows } = await asks.query<{ chunks: string; texts: string; missing: string; missing_bytes: string }>(
    `SELECT coalesce(sum(chunks), 0) AS chunks, count(*) AS texts, count(*) FILTER (WHERE lacks) AS missing,
       coalesce(sum(bytes) FILTER (WHERE lacks), 0) AS missing_bytes
     FROM (SELECT count(*) AS chunks, max(octet_length(c.header) + octet_length(c.text)) AS bytes, bool_and(${lacksVector}) AS lacks
       ${fromSearched} GROUP BY c.text_hash) AS text`,
    [model],
  )
  const { chunks, texts, missing, missing_bytes } = rows[0]!
  return { chunks: Number(chunks), texts: Number(texts), missing: Number(missing), missingBytes: Number(missing_bytes) }
}

const fromSearched = `FROM chunk c
  JOIN document d ON d.id = c.document AND d.active_version = c.version AND d.state <> 'removed'
  WHERE NOT c.is_disabled`
const lacksVector = 'NOT EXISTS (SELECT 1 FROM embedding e WHERE e.text_hash = c.text_hash AND e.model = $1)'
