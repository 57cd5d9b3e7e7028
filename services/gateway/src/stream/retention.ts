import type { Log } from '@docent/kit/logger'
import type { Messages } from '../store/messages.ts'

const HOUR_MS = 3_600_000

/** Conversations, with their records and citations, go after RETENTION_DAYS. */
export function startRetention(messages: Messages, days: number, log: Log): AsyncDisposable {
  let running: Promise<void> | undefined
  const timer = setInterval(() => {
    running ??= messages
      .deleteOld(days)
      .then(
        (deleted) => {
          if (deleted > 0) log.info({ conversations: deleted }, 'old conversations were deleted')
        },
        (error: unknown) => log.warn({ err: error }, 'deleting old conversations failed; it is tried again in an hour'),
      )
      .finally(() => {
        running = undefined
      })
  }, HOUR_MS)
  return {
    async [Symbol.asyncDispose]() {
      clearInterval(timer)
      await running
    },
  }
}
