import { Chunking, ChunkingOrder } from '@docent/core/chunking'
import { AppError } from '@docent/core/errors'
import { principalOf } from '@docent/kit/internal'
import { parse } from '@docent/kit/parse'
import { type RequestHandler, Router } from 'express'
import { z } from 'zod'
import type { CurrentChunking } from '../chunk/current-chunking.ts'

const Weigh = z.strictObject({ chunking: Chunking.nullable() })
const WEIGH_MS = 30_000

/** The gateway's door: what the owner's settings say of chunking, and what another one would cost. */
export function chunkingRouter({ chunking }: { chunking: CurrentChunking }): Router {
  const router = Router()
  router.put('/chunking', requireAdmin, async (req, res) => {
    res.json(await chunking.follow(parse({ body: ChunkingOrder }, req).body))
  })
  router.post('/chunking/estimate', requireAdmin, async (req, res) => {
    res.json(await chunking.weigh(parse({ body: Weigh }, req).body.chunking, AbortSignal.timeout(WEIGH_MS)))
  })
  return router
}

const requireAdmin: RequestHandler = (req, _res, next) => {
  if (!principalOf(req).scopes.includes('admin')) throw new AppError('forbidden', 'Settings are for the admin key.')
  next()
}
