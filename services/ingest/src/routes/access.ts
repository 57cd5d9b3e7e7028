import { AppError } from '@docent/core/errors'
import { mayRead, type Principal, readingGroups } from '@docent/core/principal'
import type { Corpus, DocumentRow, DocumentSettings, Sight } from '@docent/corpus/corpus'

export function requireIngest(principal: Principal): void {
  if (principal.kind !== 'admin' && !principal.scopes.includes('ingest'))
    throw new AppError('forbidden', 'Changing documents needs the admin key or one with the scope ingest.')
}

/** What of the ledger the caller sees. */
export function sightOf(principal: Principal): Sight {
  return { collections: principal.collections, groups: readingGroups(principal) }
}

/** Whether the caller may know of it, as long as it is there and after. */
export function isInSight({ collection, readers }: DocumentRow, principal: Principal): boolean {
  return (!principal.collections || principal.collections.includes(collection)) && mayRead(readingGroups(principal), readers)
}

/**
 * Whether he may write these paths: a key bound to collections only where the folder's settings give one of them, and not over a
 * document that he does not see. Errors: forbidden.
 */
export async function requirePlaces(
  paths: readonly string[],
  principal: Principal,
  { corpus, settingsOf }: { corpus: Corpus; settingsOf: (path: string) => Promise<DocumentSettings> },
): Promise<void> {
  const { collections } = principal
  if (!collections) return
  for (const path of paths) {
    const { collection, readers } = await settingsOf(path)
    if (!collections.includes(collection))
      throw new AppError('forbidden', `This key uploads into folders of its collections only (${collections.join(', ')}).`)
    // no group and not everyone: the folder's own settings are in doubt, and with them its collection
    if (readers?.length === 0)
      throw new AppError('forbidden', 'The settings of that folder are not understood; the admin has to mend them first.')
    const there = await corpus.findByPath(path)
    if (there && there.state !== 'removed' && !isInSight(there, principal))
      throw new AppError('forbidden', 'A document with that name lies there which this key may not change.')
  }
}

/** The document, if the caller may know of it; foreign and missing look the same. */
export async function findVisible(corpus: Corpus, documentId: string, principal: Principal): Promise<DocumentRow> {
  const document = await corpus.findDocument(documentId)
  if (!document || document.state === 'removed' || !isInSight(document, principal))
    throw new AppError('not_found', 'There is no such document.')
  return document
}
