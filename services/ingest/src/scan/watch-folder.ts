import { basename } from 'node:path'
import type { Log } from '@docent/kit/logger'
import { watch } from 'chokidar'
import { isOwnWriting } from '../status-file.ts'

/** Calls `changed` when something happens in the folder. Only a hint: the periodic scan is the truth. */
export function watchFolder(folder: string, polling: 'auto' | 'always' | 'never', changed: () => void, log: Log): AsyncDisposable {
  const watcher = watch(folder, {
    ignoreInitial: true,
    followSymlinks: false,
    ignorePermissionErrors: true,
    usePolling: polling === 'always',
    interval: 2_000,
    depth: 60,
    // Thousands of watches for nothing; should .docentignore let packages in, the periodic scan finds their changes.
    ignored: (path, stats) => path !== folder && stats?.isDirectory() === true && /^(\.|node_modules$)/.test(basename(path)),
  })
  watcher.on('all', (_event, path) => {
    if (!isOwnWriting(basename(path))) changed()
  })
  watcher.on('error', (err) => log.warn({ err }, 'the folder watch missed something; the periodic scan finds it'))
  return { [Symbol.asyncDispose]: () => watcher.close() }
}
