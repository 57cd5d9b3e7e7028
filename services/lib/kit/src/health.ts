import { Router } from 'express'
import type { Gauge } from 'prom-client'

export type Check = (signal: AbortSignal) => Promise<string | undefined>
export type Checks = Record<string, Check>
export type Health = { status: 'ok' | 'unavailable'; checks: Record<string, { ok: boolean; detail?: string; ms: number }> }

/** `asideMs`: the limit of what is not needed; who asks neighbours, and is asked by none, gives them the time of what is */
type Options = { up?: Gauge<'dependency'>; needed?: readonly string[]; asideMs?: number }

// what is not needed may not keep the answer until whoever asks for it has given up, who waits as long as for what is
export const NEEDED_MS = 3_000
const ASIDE_MS = 1_500

/** Runs each canary with a time limit. A check resolves (with an optional detail) or throws; without `needed` all of them are. */
export async function runChecks(checks: Checks, { up, needed, asideMs = ASIDE_MS }: Options = {}): Promise<Health> {
  const results = await Promise.all(
    Object.entries(checks).map(async ([name, check]) => {
      const started = performance.now()
      const limitMs = !needed || needed.includes(name) ? NEEDED_MS : asideMs
      const signal = AbortSignal.timeout(limitMs)
      const outcome = await Promise.race([
        check(signal).then(
          (detail) => ({ ok: true, detail }),
          (error: Error) => ({ ok: false, detail: error.message }),
        ),
        new Promise<{ ok: boolean; detail: string }>((done) =>
          signal.addEventListener('abort', () => done({ ok: false, detail: `no answer in ${limitMs} ms` }), { once: true }),
        ),
      ])
      up?.set({ dependency: name }, outcome.ok ? 1 : 0)
      return [
        name,
        { ok: outcome.ok, ...(outcome.detail ? { detail: outcome.detail } : {}), ms: Math.round(performance.now() - started) },
      ] as const
    }),
  )
  return { status: results.every(([, result]) => result.ok) ? 'ok' : 'unavailable', checks: Object.fromEntries(results) }
}

/** /healthz: alive, asks nobody. /readyz: each canary, 503 when one that is `needed` fails. */
export function healthRouter(checks: Checks, options: Options = {}): Router {
  const router = Router()
  router.get('/healthz', (_req, res) => void res.json({ status: 'ok' }))
  router.get('/readyz', async (_req, res) => {
    const health = await runChecks(checks, options)
    const needed = options.needed ?? Object.keys(checks)
    const ready = needed.every((name) => health.checks[name]?.ok)
    res.status(ready ? 200 : 503).json({ ...health, status: ready ? 'ok' : 'unavailable' })
  })
  return router
}
