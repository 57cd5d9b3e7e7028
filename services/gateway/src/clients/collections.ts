import type { Warning } from '@docent/core/answer-event'
import { askJson, internalHeaders } from '@docent/kit/internal'
import type { Request } from 'express'
import { z } from 'zod'
import type { GatewayDeps } from '../deps.ts'

const Listed = z.object({ items: z.array(z.object({ name: z.string() })) })

/** A warning where a name is of no collection now: it may come, or be a typo. Another one where ingest does not say. */
export async function warnOfCollections(deps: GatewayDeps, names: readonly string[] | null | undefined, req: Request): Promise<Warning[]> {
  if (!names) return []
  const { ingest, internalToken } = deps.config.neighbours
  const init = { headers: internalHeaders(internalToken, req.principal, req), timeoutMs: 5_000 }
  try {
    const { items } = await askJson(`${ingest}/collections`, init, (body) => Listed.parse(body))
    const unknown = names.filter((name) => !items.some((known) => known.name === name))
    if (unknown.length === 0) return []
    const message = `No document is in ${unknown.map((name) => `"${name}"`).join(', ')} now. There are: ${items.map(({ name }) => name).join(', ') || 'none'}.`
    return [{ code: 'unknown_collection', message }]
  } catch (error) {
    deps.log.warn({ err: error, requestId: req.requestId }, 'the collections are not known')
    return [{ code: 'unchecked_collection', message: 'Whether there are such collections is not known now.' }]
  }
}
