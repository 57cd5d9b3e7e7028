import { type Logger, pino } from 'pino'
import { logFileAt } from './log-file.ts'

export type Log = Logger

const redact = [
  'req.headers.authorization',
  'req.headers.cookie',
  'req.headers["x-docent-token"]',
  'res.headers["set-cookie"]',
  '*.apiKey',
  '*.password',
]

/** JSON lines on stdout; `destination` lets `npm start` write them to a file, of which 20 MB are kept. */
export function createLogger(service: string, level = 'info', destination?: string): Log {
  const options = { level, base: { service }, redact, timestamp: pino.stdTimeFunctions.isoTime }
  return destination ? pino(options, logFileAt(destination)) : pino(options)
}
