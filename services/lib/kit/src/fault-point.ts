const signals = ['KILL', 'STOP', 'TERM'] as const
type Armed = { point: string; signal: NodeJS.Signals; subject?: string | undefined }

let armed = read(process.env)

/**
 * A named line at which a fault test hits this process: `FAULT_POINT=K6` kills it there, `K6:STOP` freezes it, `K6:TERM` asks it to stop;
 * `K6:KILL:book.txt` does so only for the document of this path.
 * Once per process. Without the variable it does nothing; with NODE_ENV=production the variable is refused at start.
 */
export function faultPoint(point: string, subject?: string): void {
  if (armed?.point !== point || (armed.subject !== undefined && armed.subject !== subject)) return
  const { signal } = armed
  armed = undefined
  process.kill(process.pid, signal)
}

function read(env: Record<string, string | undefined>): Armed | undefined {
  if (!env.FAULT_POINT) return undefined
  if (env.NODE_ENV === 'production') throw new Error('FAULT_POINT is for tests only: unset it (NODE_ENV is production).')
  const [point = '', name = 'KILL', subject] = env.FAULT_POINT.split(':')
  const signal = signals.find((known) => known === name)
  if (!signal) throw new Error(`FAULT_POINT=POINT[:SIGNAL[:PATH]], with one of ${signals.join(', ')} as the signal`)
  return { point, signal: `SIG${signal}`, subject }
}
