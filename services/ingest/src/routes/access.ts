import { AppError } from '@docent/core/errors'
import type { Principal } from '@docent/core/principal'
import type { Corpus, DocumentRow } from '@docent/corpus/corpus'

export function requireIngest(principal: Principal): void {
  if (principal.kind !== 'admin' && !principal.scopes.includes('ingest'))
    throw new AppError('forbidden', 'Changing documents needs the admin key or one with the scope ingest.')
}

/** The document, if the caller may know of it; foreign and missing look the same. */
export async function findVisible(corpus: Corpus, documentId: string, principal: Principal): Promise<DocumentRow> {
  const document = await corpus.findDocument(documentId)
  const hidden =
    !document || document.state === 'removed' || (principal.collections && !principal.collections.includes(document.collection))
  if (hidden) throw new AppError('not_found', 'There is no such document.')
  return document
}
