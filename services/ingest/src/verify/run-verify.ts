import { setTimeout as sleep } from 'node:timers/promises'
import { createCorpus } from '@docent/corpus/create-corpus'
import { ConfigError } from '@docent/kit/config'
import { createLogger } from '@docent/kit/logger'
import { openPostgres } from '@docent/kit/postgres'
import { renderVerdict } from './render.ts'
import { verify } from './verify.ts'

export type VerifyTarget = { databaseUrl: string; chromaUrl: string; folder: string; maxFileBytes: number; waitMs: number }

const LOOK_AGAIN_MS = 1_000

/** Looks until nothing is found or `waitMs` are over, and prints what the last look found. Returns the exit code: 0 clean, 1 not. */
export async function runVerify(target: VerifyTarget, print: (text: string) => void): Promise<0 | 1> {
  await using scope = new AsyncDisposableStack()
  const log = createLogger('verify', 'silent')
  const pool = scope.adopt(openPostgres(inCorpus(target.databaseUrl), log, { max: 2, name: 'docent-verify' }), (open) => open.end())
  const corpus = createCorpus(pool, { url: target.chromaUrl }, log)
  const deadline = performance.now() + target.waitMs
  for (;;) {
    const verdict = await verify({ ...target, corpus })
    if (verdict.findings.length === 0 || performance.now() + LOOK_AGAIN_MS > deadline) {
      print(renderVerdict(verdict))
      return verdict.findings.length === 0 ? 0 : 1
    }
    await sleep(LOOK_AGAIN_MS)
  }
}

/** Whatever role the URL names, the tables are those of schema corpus. */
function inCorpus(databaseUrl: string): string {
  const url = new URL(databaseUrl)
  url.searchParams.set('options', '-c search_path=corpus')
  return url.href
}

/** `--wait SECONDS` in milliseconds. */
export function readWait(value: string): number {
  const seconds = Number(value)
  if (value.trim() === '' || !(seconds >= 0 && seconds <= 3_600)) throw new ConfigError('--wait: seconds, from 0 to 3600')
  return seconds * 1000
}

/** Exit codes: 0 all agrees, 1 something was found, 2 it could not be checked. */
export async function verifyProcess(run: () => Promise<0 | 1>): Promise<void> {
  try {
    process.exitCode = await run()
  } catch (error) {
    console.error(`It could not be checked: ${error instanceof Error ? error.message : String(error)}`)
    process.exitCode = 2
  }
}
