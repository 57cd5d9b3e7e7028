/** Why ingest waits, each with what it means and what to do. */
export const pauseSentences = {
  manual: 'Paused by hand: POST /api/v1/ingest/resume goes on.',
  memory: 'Memory is short; it goes on when there is room again.',
  disk: 'Disk space is short; it goes on when there is room again.',
  queue_full: "The queue's Redis is full; documents wait in the ledger until there is room.",
  rate_limited: 'The embedding provider limits the rate (429); it goes on when the time it named has passed.',
  account_refused:
    'The embedding provider refuses the key or the account (401, 402): see to its key and balance; it is tried again by itself.',
  embedder_down: 'The embedder does not answer; it goes on when it does.',
  extractor_down: 'The extractor does not answer; it goes on when it does.',
  queue_down: 'The queue does not answer; documents wait in the ledger.',
  mass_removal: 'Many files are gone at once; nothing is removed before POST /api/v1/documents/confirm-removal.',
  dense_behind: 'The dense index does not keep up with writes; documents are found by their words until their vectors have followed.',
  folder_missing: 'The folder is missing: mount it, or set DOCENT_FOLDER. Nothing is removed.',
} as const

export type PauseReason = keyof typeof pauseSentences
export const pauseReasons = Object.keys(pauseSentences) as PauseReason[]

/** While one of these stands no job is taken; those that run are finished. */
export const stopsWork: ReadonlySet<PauseReason> = new Set<PauseReason>([
  'manual',
  'memory',
  'disk',
  'rate_limited',
  'account_refused',
  'embedder_down',
  'extractor_down',
])

/** Only the removal of what is missing waits, or vectors alone; everything else goes on. */
export function isPausing(reason: PauseReason): boolean {
  return reason !== 'mass_removal' && reason !== 'dense_behind'
}
