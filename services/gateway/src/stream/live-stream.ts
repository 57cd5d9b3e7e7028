import type { AnswerEvent } from '@docent/core/answer-event'

/** One event as it leaves: `data` is its JSON, written once for the journal and all readers. */
export type Frame = { id: number; type: AnswerEvent['type']; data: string }

export type LiveStream = {
  answerId: string
  /** what readers may see: journalled, or let through while the journal is down */
  frames: Frame[]
  /** all delta text handed over so far, sent or about to be */
  readonly text: string
  /** rebuilds the events from the stored answer: see AnswerBody.log */
  log: (number | [string, string])[]
  ended: boolean
  /** performance.now() of the first text */
  firstTextAt: number | undefined
  journalLost: boolean
  /** someone took this process for dead and ended the answer: nothing more is shown from here */
  fenced: boolean
  readers: number
  lastReaderAt: number
  /** `over`: nothing follows but the end, with which it leaves */
  delta(text: string, going?: 'on' | 'over'): void
  push(event: AnswerEvent): void
  /** resolves when everything handed over is visible to readers; false: all of it was already */
  flushed(): Promise<boolean>
  /** resolves when there is more than `seen`, or somebody rouses */
  changed(seen: number): Promise<void>
  rouse(): void
}

/** `ended`: the journal already has another end. */
export type Appended = 'kept' | 'lost' | 'ended'
export type Journal = (frames: readonly Frame[], all: readonly Frame[]) => Promise<Appended>

/**
 * The writing end of one answer. Events wait for the flush timer; the first text leaves at once, with all that waited.
 * One append is in flight at a time, so order and ids need no care elsewhere, and a slow journal makes bigger batches.
 */
export function createLiveStream(answerId: string, journal: Journal, later: (flush: () => void) => void): LiveStream {
  const pending: Frame[] = []
  let heard = '' // as it came
  let text = ''
  let waiting = '' // the end of the text, in no frame yet: to cut it off would copy all of it
  let isScheduled = false
  let lastId = 0
  let inFlight: Promise<void> | undefined
  let due = false
  let wakers: (() => void)[] = []

  function settle(): void {
    if (heard === '') return
    const { clean, held } = storable(heard)
    heard = held
    text += clean
    waiting += clean
  }

  function seal(): void {
    settle()
    if (waiting === '') return
    stream.log.push(text.length)
    pending.push({ id: ++lastId, type: 'delta', data: JSON.stringify({ text: waiting }) })
    waiting = ''
  }

  function flush(): void {
    isScheduled = false
    if (inFlight) {
      due = true
      return
    }
    settle()
    if (pending.length > 0 || waiting !== '') inFlight = drain()
  }

  function schedule(): void {
    if (isScheduled) return
    isScheduled = true
    later(flush)
  }

  async function drain(): Promise<void> {
    do {
      // what else happens in this turn of the event loop leaves with it
      await turn()
      seal()
      due = false
      const batch = pending.splice(0)
      const appended = await journal(batch, stream.frames)
      if (appended === 'lost') stream.journalLost = true
      if (appended === 'ended') {
        stream.fenced = stream.ended = true
        pending.length = 0
        heard = waiting = ''
      } else stream.frames.push(...batch)
      stream.rouse()
      settle()
      // a flush that came while this one was under way must not wait for the next token
    } while (pending.length > 0 || (due && waiting !== ''))
    inFlight = undefined
  }

  const stream: LiveStream = {
    answerId,
    frames: [],
    get text() {
      settle()
      return text
    },
    log: [],
    ended: false,
    firstTextAt: undefined,
    journalLost: false,
    fenced: false,
    readers: 0,
    lastReaderAt: performance.now(),
    delta(piece, going = 'on') {
      if (stream.ended) return
      heard += piece
      if (stream.firstTextAt !== undefined) return schedule()
      settle()
      if (text === '') return
      stream.firstTextAt = performance.now()
      if (going === 'on') flush()
      else schedule()
    },
    push(event) {
      if (stream.ended) return
      seal()
      const data = JSON.stringify(event.data)
      stream.log.push([event.type, data])
      pending.push({ id: ++lastId, type: event.type, data })
      schedule()
    },
    async flushed() {
      flush()
      const isWriting = inFlight !== undefined
      while (inFlight) {
        await inFlight
        flush()
      }
      return isWriting
    },
    changed(seen) {
      if (stream.frames.length > seen || stream.fenced) return Promise.resolve()
      return new Promise((done) => {
        wakers.push(done)
      })
    },
    rouse() {
      const waiting = wakers
      wakers = []
      for (const wake of waiting) wake()
    },
  }
  return stream
}

let turning: Promise<void> | undefined

/** Resolves when the events of this turn of the event loop are dealt with; one for all who ask. */
function turn(): Promise<void> {
  turning ??= new Promise((done) => {
    setImmediate(() => {
      turning = undefined
      done()
    })
  })
  return turning
}

/** Postgres keeps neither NUL nor half a surrogate pair; what is stored must equal what was streamed. */
function storable(text: string): { clean: string; held: string } {
  const last = text.charCodeAt(text.length - 1)
  const held = last >= 0xd800 && last <= 0xdbff ? text.slice(-1) : ''
  const whole = held ? text.slice(0, -1) : text
  return { clean: (whole.includes('\0') ? whole.replaceAll('\0', '') : whole).toWellFormed(), held }
}
