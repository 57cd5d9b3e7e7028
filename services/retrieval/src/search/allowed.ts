import type { Filters } from '@docent/core/passage'
import { mayRead, type Principal, readingGroups } from '@docent/core/principal'
import type { HeldChunk } from '../index/chunk-index.ts'

/** Which chunks this caller may see with these filters; undefined when all. Used by both legs and once more on the results. */
export function allowedChunks(
  filters: Filters | undefined,
  principal: Pick<Principal, 'kind' | 'collections' | 'groups'>,
  isRestricted: boolean,
): ((chunk: HeldChunk) => boolean) | undefined {
  const { collection, pathPrefix, mediaType, language } = filters ?? {}
  const after = filters?.modifiedAfter === undefined ? undefined : Date.parse(filters.modifiedAfter)
  const readable = principal.collections && new Set(principal.collections)
  const groups = readingGroups(principal)
  // most folders are for everyone: then nothing has to be asked of each chunk
  const isOpen = groups === undefined || !isRestricted
  if (!readable && isOpen && [collection, pathPrefix, mediaType, language, after].every((value) => value === undefined)) return undefined
  return ({ document }) =>
    (!readable || readable.has(document.collection)) &&
    mayRead(groups, document.readers) &&
    (collection === undefined || document.collection === collection) &&
    (pathPrefix === undefined || document.path.startsWith(pathPrefix)) &&
    (mediaType === undefined || document.mediaType === mediaType) &&
    (language === undefined || document.language === language) &&
    (after === undefined || document.modifiedAt > after)
}
