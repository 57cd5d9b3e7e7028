import type { Log } from '@docent/kit/logger'
import type { Attachments } from '../store/attachments.ts'
import type { Messages } from '../store/messages.ts'

const HOUR_MS = 3_600_000

/** Conversations, with their records and citations, go after RETENTION_DAYS, files attached to them after ATTACHMENT_DAYS. */
export function startRetention(stores: { messages: Messages; attachments: Attachments }, days: number, log: Log): AsyncDisposable {
  let running: Promise<void> | undefined
  const timer = setInterval(() => {
    running ??= Promise.all([stores.messages.deleteOld(days), stores.attachments.deleteOld()])
      .then(
        ([conversations, attachments]) => {
          if (conversations + attachments > 0) log.info({ conversations, attachments }, 'what was kept long enough was deleted')
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
