import { AppError } from '@docent/core/errors'
import { mayRead, type Principal, readingGroups } from '@docent/core/principal'
import type { Corpus, DocumentRow, Sight } from '@docent/corpus/corpus'

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

/** The document, if the caller may know of it; foreign and missing look the same. */
export async function findVisible(corpus: Corpus, documentId: string, principal: Principal): Promise<DocumentRow> {
  const document = await corpus.findDocument(documentId)
  if (!document || document.state === 'removed' || !isInSight(document, principal))
    throw new AppError('not_found', 'There is no such document.')
  return document
}
