import { type Verdict, verify } from '@docent/ingest/verify/verify'
import type { ChaosFolder, Move } from './chaos-folder.ts'
import type { ChaosStack } from './chaos-stack.ts'

export type Rename = Move & { documentId: string; at: Date; state: string; keepsId: boolean }
export type Judgement = { verdict: Verdict; wrong: string[]; openAttempts: number; lostAttempts: number; reembedded: string[] }

const MAX_FILE_BYTES = 50 * 1024 * 1024

/** What is wrong with the folder's documents now: files that ended otherwise than they must. */
export async function wrongEndings({ files }: ChaosFolder, { corpus }: ChaosStack): Promise<string[]> {
  const known = new Map((await corpus.listKnown()).map((document) => [document.path, document]))
  const wrong: string[] = []
  for (const [path, { hash, ending }] of files) {
    const document = known.get(path)
    known.delete(path)
    const ended = document && (document.state === 'ready' ? 'ready' : `${document.state}(${document.errorCode ?? ''})`)
    const isFollowed = document && (document.contentHash === hash || !/^[0-9a-f]{64}$/.test(document.contentHash))
    if (ended !== ending || !isFollowed)
      wrong.push(`${path}: ${ended ?? 'no document'}${isFollowed ? '' : ' of another content'}, not ${ending}`)
  }
  for (const [path, { state }] of known) wrong.push(`${path}: ${state}, but there is no such file`)
  return wrong
}

/** Everything at rest: the oracle, the endings, the attempts, the renames. */
export async function judge(folder: ChaosFolder, stack: ChaosStack, renames: readonly Rename[]): Promise<Judgement> {
  const verdict = await verify({ corpus: stack.corpus, folder: folder.folder, maxFileBytes: MAX_FILE_BYTES })
  const attempts = await stack.pool.query<{ open: number; lost: number }>(
    `SELECT count(*) FILTER (WHERE ended_at IS NULL)::int AS open, count(*) FILTER (WHERE outcome = 'lost')::int AS lost FROM attempt`,
  )
  const reembedded: string[] = []
  for (const { documentId, hash, at, from, to, state } of renames) {
    if (state !== 'ready') continue
    const { rows } = await stack.pool.query<{ embedded: number }>(
      `SELECT (detail->>'embedded')::int AS embedded FROM attempt
       WHERE document = $1 AND content_hash = $2 AND started_at > $3 AND (detail->>'embedded')::int > 0`,
      [documentId, hash, at],
    )
    for (const { embedded } of rows) reembedded.push(`${from} → ${to}: ${embedded} chunks`)
  }
  const { open = 0, lost = 0 } = attempts.rows[0] ?? {}
  return { verdict, wrong: await wrongEndings(folder, stack), openAttempts: open, lostAttempts: lost, reembedded }
}
