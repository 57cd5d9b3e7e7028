import type { AppError } from '@docent/core/errors'
import type { Events } from './events.ts'
import type { PauseReason } from './pauses.ts'
import { stopsWork } from './pauses.ts'

type GatedWorker = { pause(doNotWaitActive: boolean): Promise<void>; resume(): void; isPaused(): boolean }

/** Decides whether the worker takes jobs: reasons are set and lifted as they are measured, or hold for a time. */
export type WorkGate = {
  set(reason: PauseReason, on: boolean, message?: string): void
  /** a reason that nobody can measure: after `ms` work is tried again, and says so if it still stands */
  hold(reason: PauseReason, ms: number, message?: string): void
  /** what an error of a job means for all others */
  waitFor(error: AppError): void
  /** pauses or resumes the worker by what stands; true when work goes on after a pause */
  apply(): Promise<boolean>
  isWaiting(): boolean
}

const RATE_MS = 15_000

export function createGate(events: Events, worker: () => GatedWorker, retryMs: number): WorkGate {
  const measured = new Map<PauseReason, string>()
  const held = new Map<PauseReason, { until: number; message: string }>()

  function tell(reason: PauseReason): void {
    const message = measured.get(reason) ?? held.get(reason)?.message
    events.paused(reason, message !== undefined, message)
  }

  const gate: WorkGate = {
    set(reason, on, message = '') {
      if (on) measured.set(reason, message)
      else measured.delete(reason)
      tell(reason)
    },
    hold(reason, ms, message = '') {
      held.set(reason, { until: performance.now() + ms, message })
      tell(reason)
      void gate.apply()
    },
    waitFor(error) {
      const ms = error.retryAfterS === undefined ? undefined : error.retryAfterS * 1000
      if (error.code === 'rate_limited') gate.hold('rate_limited', ms ?? RATE_MS, error.message)
      else if (error.code === 'upstream_unauthorized' || error.code === 'budget_exhausted')
        gate.hold('account_refused', ms ?? retryMs, error.message)
      else if ((error.cause as { code?: unknown } | undefined)?.code === '53100')
        gate.hold('disk', retryMs, 'Postgres has no space left on its disk: make room there.')
    },
    async apply() {
      for (const [reason, { until }] of held) {
        if (performance.now() < until) continue
        held.delete(reason)
        tell(reason)
      }
      const stops = gate.isWaiting()
      const resumes = !stops && worker().isPaused()
      if (stops && !worker().isPaused()) await worker().pause(true)
      else if (resumes) worker().resume()
      return resumes
    },
    isWaiting: () => events.pausedReasons().some((reason) => stopsWork.has(reason)),
  }
  return gate
}
