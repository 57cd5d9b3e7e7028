import { type SearchRequest, SearchResponse, type SentencesRequest, SentencesResponse } from '@docent/core/passage'
import type { Principal } from '@docent/core/principal'
import { askJson, internalHeaders } from '@docent/kit/internal'
import type { z } from 'zod'

export type RetrievalClient = ReturnType<typeof createRetrievalClient>
type Ids = { requestId?: string; traceId?: string }

/** The one way to retrieval. */
export function createRetrievalClient(url: string, token: string) {
  const doors = { search: new URL(`${url}/search`), sentences: new URL(`${url}/sentences`) }
  const post = (principal: Principal, ids: Ids, body: object, signal: AbortSignal, timeoutMs: number) => ({
    method: 'POST',
    headers: { 'content-type': 'application/json', ...internalHeaders(token, principal, ids) },
    body: JSON.stringify(body),
    signal,
    timeoutMs,
  })
  return {
    search(request: z.input<typeof SearchRequest>, principal: Principal, ids: Ids, signal: AbortSignal): Promise<SearchResponse> {
      return askJson(doors.search, post(principal, ids, request, signal, 10_000), (body) => SearchResponse.parse(body))
    },
    sentences(
      query: string,
      sentences: SentencesRequest['sentences'],
      principal: Principal,
      ids: Ids,
      signal: AbortSignal,
    ): Promise<SentencesResponse> {
      return askJson(doors.sentences, post(principal, ids, { query, sentences }, signal, 10_000), (body) => SentencesResponse.parse(body))
    },
  }
}
