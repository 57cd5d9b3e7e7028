import type { Filters } from '@docent/core/passage'
import { mayRead, type Principal, readingGroups } from '@docent/core/principal'
import type { HeldChunk, Rights } from '../index/chunk-index.ts'

type Reader = Pick<Principal, 'kind' | 'collections' | 'groups'>

/** Which documents this caller may read; undefined when all, as in most folders: then nothing has to be asked of each chunk. */
export function rightsOf(principal: Reader, isRestricted: boolean): Rights | undefined {
  const { collections } = principal
  const groups = isRestricted ? readingGroups(principal) : undefined
  if (!collections && groups === undefined) return undefined
  const readable = collections && new Set(collections)
  return {
    key: JSON.stringify([collections?.toSorted(), groups?.toSorted()]),
    mayRead: ({ collection, readers }) => (!readable || readable.has(collection)) && mayRead(groups, readers),
  }
}

/** Which chunks this caller may see with these filters; undefined when all. Used by both legs and once more on the results. */
export function allowedChunks(
  filters: Filters | undefined,
  principal: Reader,
  isRestricted: boolean,
): ((chunk: HeldChunk) => boolean) | undefined {
  const { collection, pathPrefix, mediaType, language } = filters ?? {}
  const after = filters?.modifiedAfter === undefined ? undefined : Date.parse(filters.modifiedAfter)
  const rights = rightsOf(principal, isRestricted)
  if (!rights && [collection, pathPrefix, mediaType, language, after].every((value) => value === undefined)) return undefined
  return ({ document }) =>
    (!rights || rights.mayRead(document)) &&
    (collection === undefined || document.collection === collection) &&
    (pathPrefix === undefined || document.path.startsWith(pathPrefix)) &&
    (mediaType === undefined || document.mediaType === mediaType) &&
    (language === undefined || document.language === language) &&
    (after === undefined || document.modifiedAt > after)
}
