import { execFile } from 'node:child_process'
import { mkdtempSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { Log } from '@docent/kit/logger'
import { canForbidWriting, childEnvironment, nodeArguments } from './spawn-child.ts'

const LIMIT_MS = 60_000

/**
 * Compiled code of all that a child may load, made once by a process that reads no document, so that a child's start costs a
 * third. It is made in the background: `folder` is undefined until then, and stays so where a child could write into it.
 */
export function openCodeCache(memoryMb: number, log: Log, scope: AsyncDisposableStack): { readonly folder: string | undefined } {
  const cache: { folder: string | undefined } = { folder: undefined }
  if (!canForbidWriting) return cache
  const stop = new AbortController()
  const folder = mkdtempSync(join(tmpdir(), 'docent-code-'))
  const filled = fill(folder, memoryMb, stop.signal).then(
    () => {
      cache.folder = folder
    },
    (err: unknown) => {
      if (!stop.signal.aborted) log.warn({ err }, 'no compiled code for the parsers: each document costs more processor time')
    },
  )
  scope.defer(async () => {
    stop.abort()
    await filled
    // one that was told to end may still write a file
    await rm(folder, { recursive: true, force: true, maxRetries: 10 })
  })
  return cache
}

async function fill(folder: string, memoryMb: number, signal: AbortSignal): Promise<void> {
  const [command, ...args] = nodeArguments(memoryMb, 'compile-all.ts', folder)
  await promisify(execFile)(command!, args, { env: childEnvironment(folder), signal, killSignal: 'SIGKILL', timeout: LIMIT_MS })
}
