import { EventSource } from 'eventsource'
import { until } from '../../lib/testkit/src/until.ts'
import type { Received } from './harness.ts'

export const finals = ['done', 'stopped', 'interrupted', 'error']
export const names = ['meta', 'sources', 'delta', 'citation', 'warning', 'usage', ...finals]

export type Followed = { events: Received[]; closed: Promise<void>; source: EventSource }

/** The unmodified EventSource, followed until it closes itself. */
export function follow(url: string): Followed {
  const source = new EventSource(url)
  const events: Followed['events'] = []
  for (const name of names) {
    source.addEventListener(name, (event) => {
      // an EventSource's own trouble is an `error` event too, without data
      if (event.data === undefined) return
      events.push({ id: Number(event.lastEventId), type: name, data: JSON.parse(event.data) } as Received)
    })
  }
  const closed = until('the EventSource has closed itself', () => source.readyState === EventSource.CLOSED || undefined, 90_000).then(
    () => undefined,
  )
  return { events, closed, source }
}
