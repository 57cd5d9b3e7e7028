import { randomUUID } from 'node:crypto'
import { lstat, readdir, rename, rm, writeFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Corpus } from '@docent/corpus/corpus'
import type { Log } from '@docent/kit/logger'
import type { Events } from './events.ts'
import { isPausing } from './pauses.ts'
import type { Scanner } from './scan/scan-folder.ts'

export const STATUS_FILE = '_status.json'
const PREFIX = '.docent-status-'

type Deps = { folder: string; corpus: Corpus; scanner: Scanner; events: Events; log: Log; everyMs: number }
export type StatusFile = AsyncDisposable & { problem(): string | undefined }

/** Whether a name is one that ingest itself writes into the folder: its coming and going is no change to look at. */
export function isOwnWriting(name: string): boolean {
  return name === STATUS_FILE || name.startsWith(PREFIX)
}

/** Keeps `_status.json` true: each document with its state and error. Replaced whole by a rename, written only when it differs. */
export function startStatusFile({ folder, corpus, scanner, events, log, everyMs }: Deps): StatusFile {
  const stop = new AbortController()
  const path = join(folder, STATUS_FILE)
  let wake = new AbortController()
  let written = ''
  let stamp = ''
  let problem: string | undefined
  const off = events.onDocument(() => wake.abort())
  const running = follow()

  async function follow(): Promise<void> {
    await tidy(folder)
    while (!stop.signal.aborted) {
      // what changes from here on wakes the next round
      wake = new AbortController()
      await look().then(
        () => tell(undefined),
        (error: NodeJS.ErrnoException) =>
          tell(`cannot be written (${error.code ?? error.message}); mount the folder writable, or set STATUS_FILE=false`),
      )
      const signal = AbortSignal.any([stop.signal, wake.signal])
      await sleep(everyMs, undefined, { signal }).catch(() => undefined)
      if (wake.signal.aborted) await sleep(Math.min(everyMs, 1_000), undefined, { signal: stop.signal }).catch(() => undefined) // many changes, one file
    }
  }

  function tell(now: string | undefined): void {
    if (now && now !== problem) log.warn({ path: STATUS_FILE, problem: now }, 'the status file is not kept')
    problem = now
  }

  async function look(): Promise<void> {
    if (scanner.status().missing) return // a mount point is not the folder
    const content = await contentOf()
    if (content === written && stamp === (await stampOf(path))) return
    const text = `${content.slice(0, -1)},"writtenAt":"${new Date().toISOString()}"}\n`
    const temporary = join(folder, `${PREFIX}${randomUUID()}`)
    try {
      await writeFile(temporary, text, { flag: 'wx', mode: 0o644 })
      await rename(temporary, path)
    } catch (error) {
      await rm(temporary, { force: true })
      throw error
    }
    written = content
    stamp = await stampOf(path)
  }

  async function contentOf(): Promise<string> {
    const documents = await corpus.listKnown()
    const reasons = events.pauses().map(({ reason, message }) => ({ reason, message }))
    return JSON.stringify({
      state: reasons.some(({ reason }) => isPausing(reason)) ? 'paused' : 'running',
      reasons,
      problems: scanner.status().problems,
      documents: documents.map(({ path: name, state, collection, errorCode, errorText }) => ({
        path: name,
        state,
        collection,
        ...(errorCode ? { error: { code: errorCode, message: errorText ?? '' } } : {}),
      })),
    })
  }

  return {
    problem: () => problem,
    async [Symbol.asyncDispose]() {
      off()
      stop.abort()
      await running
    },
  }
}

/** Someone else's hand on the file shows in its times, size or inode. */
async function stampOf(path: string): Promise<string> {
  return lstat(path).then(
    ({ ino, size, mtimeMs }) => `${ino}:${size}:${mtimeMs}`,
    () => '',
  )
}

/** What a killed process left behind. */
async function tidy(folder: string): Promise<void> {
  const names = await readdir(folder).catch(() => [])
  await Promise.all(names.filter((name) => basename(name).startsWith(PREFIX)).map((name) => rm(join(folder, name), { force: true })))
}
