import { createHmac, randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Corpus } from '@docent/corpus/corpus'
import type { Log } from '@docent/kit/logger'
import type { DocumentEvent, Events } from './events.ts'

type Deps = { url: string; secret: string | undefined; corpus: Corpus; events: Events; log: Log; firstWaitMs?: number }
type Outcome = 'sent' | 'failed' | 'dropped'

const TRIES = 5
const ANSWER_MS = 5_000
const MAX_WAITING = 500

/**
 * Tells one configured address of each document that failed. Deliveries stand in a bounded line of their own:
 * indexing never waits for them. What may pass (no answer, 408, 429, 5xx) is tried again, five times in all.
 */
export function startWebhook({ url, secret, corpus, events, log, firstWaitMs = 1_000 }: Deps): AsyncDisposable {
  const stop = new AbortController()
  const waiting: DocumentEvent[] = []
  let wake: () => void = () => undefined
  const off = events.onDocument((event) => {
    if (event.state !== 'failed') return
    if (waiting.length >= MAX_WAITING) return count('dropped', event, 'too many deliveries wait')
    waiting.push(event)
    wake()
  })
  const running = follow()

  function count(outcome: Outcome, event: DocumentEvent, why?: string): void {
    events.webhook(outcome)
    if (outcome !== 'sent') log.warn({ documentId: event.documentId, outcome, why }, 'a failure was not told to the webhook')
  }

  async function follow(): Promise<void> {
    while (!stop.signal.aborted) {
      const event = waiting.shift()
      if (event) await deliver(event)
      else {
        const { promise, resolve } = Promise.withResolvers<void>()
        wake = resolve
        await promise
      }
    }
    for (const event of waiting) count('dropped', event, 'ingest stops')
  }

  async function deliver(event: DocumentEvent): Promise<void> {
    const id = randomUUID() // the same for each try: a receiver knows a repetition by it
    const body = await bodyOf(id, event)
    let why = ''
    for (let tried = 1; tried <= TRIES; tried++) {
      const answer = await send(body)
      if (answer.ok) return count('sent', event)
      why = answer.why
      if (!answer.mayPass || tried === TRIES) break
      await sleep(firstWaitMs * 2 ** (tried - 1), undefined, { signal: stop.signal }).catch(() => undefined)
      if (stop.signal.aborted) return count('dropped', event, 'ingest stops')
    }
    count('failed', event, why)
  }

  async function bodyOf(id: string, { documentId, path, code }: DocumentEvent): Promise<string> {
    const view = await corpus.viewDocument(documentId).catch(() => undefined) // the failure is told even while Postgres is away
    const message = view?.error?.message
    return JSON.stringify({
      id,
      type: 'document.failed',
      at: new Date().toISOString(),
      document: {
        id: documentId,
        path,
        ...(view ? { collection: view.collection } : {}),
        state: 'failed',
        code,
        ...(message ? { message } : {}),
      },
    })
  }

  async function send(body: string): Promise<{ ok: true } | { ok: false; mayPass: boolean; why: string }> {
    const timestamp = String(Math.floor(Date.now() / 1000))
    const headers: Record<string, string> = { 'content-type': 'application/json', 'user-agent': 'docent', 'x-docent-timestamp': timestamp }
    if (secret) headers['x-docent-signature'] = `sha256=${createHmac('sha256', secret).update(`${timestamp}.${body}`).digest('hex')}`
    try {
      const signal = AbortSignal.any([stop.signal, AbortSignal.timeout(ANSWER_MS)])
      // the address is the configured one and no other: a redirect is not followed
      const response = await fetch(url, { method: 'POST', headers, body, signal, redirect: 'manual' })
      await response.body?.cancel()
      if (response.ok) return { ok: true }
      const mayPass = response.status >= 500 || response.status === 408 || response.status === 429
      return { ok: false, mayPass, why: `it answered ${response.status}` }
    } catch (error) {
      return { ok: false, mayPass: true, why: error instanceof Error ? error.name : 'no answer' }
    }
  }

  return {
    async [Symbol.asyncDispose]() {
      off()
      stop.abort()
      wake()
      await running
    },
  }
}
