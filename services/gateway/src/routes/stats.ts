import type { Principal } from '@docent/core/principal'
import { askJson, internalHeaders } from '@docent/kit/internal'
import { Router } from 'express'
import { z } from 'zod'
import type { GatewayDeps } from '../deps.ts'

const IngestStats = z.looseObject({ documents: z.record(z.string(), z.number()), chunks: z.number() })
const self: Principal = { id: 'gateway', kind: 'admin', scopes: ['read'] }

/** How much there is, and what runs. */
export function statsRouter(deps: GatewayDeps): Router {
  const router = Router()
  const { ingest, internalToken } = deps.config.neighbours

  router.get(['/api/stats', '/api/v1/stats'], async (req, res) => {
    const [own, corpus] = await Promise.all([
      deps.conversations.count(),
      askJson(`${ingest}/stats`, { headers: internalHeaders(internalToken, self, req), timeoutMs: 3_000 }, (body) =>
        IngestStats.parse(body),
      ).catch((error: unknown) => {
        deps.log.warn({ err: error, requestId: req.requestId }, 'the figures of ingest are missing')
        return { documents: {}, chunks: null, degraded: ['ingest'] }
      }),
    ])
    res.json({ ...corpus, ...own, streamsOpen: deps.streams.size() })
  })

  router.get(['/system/info', '/api/v1/system/info'], async (_req, res) => {
    const { version, settings } = await deps.settings.current()
    const { providers } = deps.config.models
    res.json({
      name: 'Docent',
      version: '0.1.0',
      startedAt: deps.startedAt,
      uptimeS: Math.round((Date.now() - deps.startedAt.getTime()) / 1000),
      model: providers[0]?.model ?? 'extractive',
      providers: providers.map(({ name, model }) => ({ name, model })),
      mode: providers.length > 0 ? 'model' : 'extractive',
      settingsVersion: version,
      topK: settings.topK,
      persona: settings.persona,
      features: { rag: deps.config.ragEnabled, uploads: deps.config.guard.uploads, publicReads: deps.config.guard.publicReads },
      access: deps.config.guard.access,
    })
  })
  return router
}
