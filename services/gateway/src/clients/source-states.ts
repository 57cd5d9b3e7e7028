import type { Principal } from '@docent/core/principal'
import { askJson, internalHeaders } from '@docent/kit/internal'
import type { Log } from '@docent/kit/logger'
import { z } from 'zod'

const State = z.object({ state: z.enum(['current', 'changed', 'gone', 'hidden']) })
/** Who holds a citation's id may open its document, whatever his key is bound to; but not one that is for groups he is not of. */
export function citationReader({ kind, groups }: Pick<Principal, 'kind' | 'groups'>): Principal {
  return { id: 'citation', kind: kind === 'admin' ? 'admin' : 'key', scopes: ['read'], ...(groups ? { groups } : {}) }
}

/** What became of a document since a version of it was cited; `hidden` from this reader; `unknown` when ingest does not say. */
export function createSourceStates(ingest: string, token: string, log: Log) {
  return async (
    documentId: string,
    version: number,
    reader: Pick<Principal, 'kind' | 'groups'>,
    signal?: AbortSignal,
    ids: { requestId?: string; traceId?: string } = {},
  ): Promise<'current' | 'changed' | 'gone' | 'hidden' | 'unknown'> => {
    const init = { headers: internalHeaders(token, citationReader(reader), ids), timeoutMs: 5_000, ...(signal ? { signal } : {}) }
    try {
      return (await askJson(`${ingest}/documents/by-version/${documentId}/${version}`, init, (body) => State.parse(body))).state
    } catch (error) {
      if (signal?.aborted) throw error
      log.warn({ err: error, requestId: ids.requestId }, 'the state of a cited document is not known')
      return 'unknown'
    }
  }
}
