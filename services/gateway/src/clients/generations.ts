import { AppError } from '@docent/core/errors'
import { askJson, internalHeaders } from '@docent/kit/internal'
import type { Request } from 'express'
import { z } from 'zod'
import { askGolden, type GateResult } from '../answer/golden-gate.ts'
import { searchWishes } from '../answer/tune.ts'
import type { GatewayDeps } from '../deps.ts'
import type { Settings } from '../store/settings.ts'

const State = z.looseObject({ id: z.number(), state: z.string() })
const INGEST_MS = 30_000
const GATE_MS = 10 * 60_000

type Deps = Pick<GatewayDeps, 'config' | 'golden' | 'retrieval' | 'settings'>

/** Generations live in ingest; the golden questions that judge a new one are the gateway's. Errors are those of ingest. */
export function createGenerations({ config, golden, retrieval, settings }: Deps) {
  const { ingest, internalToken } = config.neighbours

  function tell(req: Request, method: string, id: number, action: string, body?: object) {
    const headers = { 'content-type': 'application/json', ...internalHeaders(internalToken, req.principal, { requestId: req.requestId }) }
    const init = { method, headers, timeoutMs: INGEST_MS, ...(body ? { body: JSON.stringify(body) } : {}) }
    return askJson(`${ingest}/generations/${id}${action}`, init, (answer) => State.parse(answer))
  }

  /** Asks the golden questions and keeps what they say with the generation. `wanted`: settings the candidate would come with. */
  async function judge(req: Request, id: number, wanted?: Settings): Promise<GateResult> {
    await refuseRetired(req, id)
    const [questions, current] = await Promise.all([golden.list(), settings.current()])
    const limit = AbortSignal.timeout(GATE_MS)
    const result = await askGolden(questions, current.settings.topK, id, (request) => {
      const wishes = searchWishes(request.generation === undefined ? current.settings : (wanted ?? current.settings))
      return retrieval.search({ ...request, ...wishes }, req.principal, { requestId: req.requestId, traceId: req.traceId }, limit)
    })
    await tell(req, 'PUT', id, '/gate', result)
    return result
  }

  async function refuseRetired(req: Request, id: number): Promise<string> {
    const { state } = await tell(req, 'GET', id, '')
    if (state === 'retired')
      throw new AppError('conflict', 'This generation is retired: POST /api/v1/generations with its model fills it again first.')
    return state
  }

  return {
    judge,
    refuseRetired,
    /** Errors besides: gate_failed, generation_incomplete, conflict. */
    async activate(req: Request, id: number, force: boolean, wanted?: Settings) {
      const state = await refuseRetired(req, id)
      // what stands by has served before; whoever forces it does not wait for a verdict
      if (state === 'building' && !force) await judge(req, id, wanted)
      return tell(req, 'POST', id, '/activate', { force })
    },
  }
}
