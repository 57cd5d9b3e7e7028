import type { RequestHandler } from 'express'

/**
 * At most `most` requests are begun in one turn of the event loop, the others in the next ones, in their order. Of many that come at
 * once the first are answered while the last wait; begun together they would all be answered at the end.
 */
export function inTurns(most: number): RequestHandler {
  const waiting: (() => void)[] = []
  let begun = 0

  function nextTurn(): void {
    const now = waiting.splice(0, most)
    begun = now.length
    if (begun > 0) setImmediate(nextTurn)
    for (const begin of now) begin()
  }

  return (_req, _res, begin) => {
    if (begun === most) return void waiting.push(begin)
    if (begun++ === 0) setImmediate(nextTurn)
    begin()
  }
}
