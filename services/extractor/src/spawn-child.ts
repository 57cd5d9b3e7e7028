import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { Readable, Writable } from 'node:stream'

export type Child = { process: ChildProcess; pid: number; document: Writable; stderr: Readable; answer: Readable; control: Writable }

const HEAP_SHARE = 0.7
const packageRoot = dirname(import.meta.dirname)

const prlimit = '/usr/bin/prlimit'
/** The kernel can refuse a child every byte that it would write into a file. */
export const canForbidWriting = existsSync(prlimit)

const choom = '/usr/bin/choom'

/** A process without environment, without a path to any document, and (by Node's permission model) with no right to read more than its code. */
export function spawnChild(memoryMb: number, cpuSeconds: number, codeCache?: string): Child {
  const [command, ...args] = [...wrappers(cpuSeconds), ...nodeArguments(memoryMb, 'child.ts', codeCache)]
  const child = spawn(command!, args, {
    cwd: packageRoot,
    env: childEnvironment(codeCache),
    stdio: ['pipe', 'ignore', 'pipe', 'pipe', 'pipe'],
  })
  // A child that dies early breaks its pipes; the exit says why, not the pipe.
  for (const stream of child.stdio) stream?.on('error', () => child.kill('SIGKILL'))
  child.on('error', () => child.kill('SIGKILL'))
  return {
    process: child,
    pid: child.pid ?? 0,
    document: child.stdin!,
    stderr: child.stderr!.setEncoding('utf8'),
    answer: child.stdio[3] as Readable,
    control: child.stdio[4] as Writable,
  }
}

/** Node only reads compiled code from where it may write, too. */
export function nodeArguments(memoryMb: number, script: string, codeCache?: string): string[] {
  const code = codeCache ? [`--allow-fs-read=${codeCache}/*`, `--allow-fs-write=${codeCache}/*`] : []
  return [
    process.execPath,
    `--max-old-space-size=${Math.floor(memoryMb * HEAP_SHARE)}`,
    '--max-semi-space-size=8',
    '--stack-size=900',
    '--disable-warning=ExperimentalWarning',
    '--disable-warning=SecurityWarning',
    '--permission',
    '--allow-addons',
    ...readableFolders().map((folder) => `--allow-fs-read=${folder}`),
    ...code,
    join(import.meta.dirname, script),
  ]
}

export function childEnvironment(codeCache?: string): Record<string, string> {
  return {
    LANG: 'C.UTF-8',
    TZ: 'UTC',
    // Bitmaps go back to the system when they are freed; Tesseract works on one core.
    MALLOC_ARENA_MAX: '2',
    MALLOC_MMAP_THRESHOLD_: '1048576',
    MALLOC_TRIM_THRESHOLD_: '1048576',
    OMP_THREAD_LIMIT: '1',
    ...(codeCache ? { NODE_COMPILE_CACHE: codeCache } : {}),
  }
}

/**
 * util-linux is on every Debian: the kernel itself ends the child with its parent, bounds its CPU and writes no core; and where memory ends,
 * the child goes first, not the service.
 */
function wrappers(cpuSeconds: number): string[] {
  const setpriv = existsSync('/usr/bin/setpriv') ? ['/usr/bin/setpriv', '--pdeathsig', 'KILL'] : []
  const limits = canForbidWriting ? [prlimit, '--core=0', `--cpu=${cpuSeconds}`, '--fsize=0', '--'] : []
  const first = existsSync(choom) ? [choom, '-n', '1000', '--'] : []
  return [...setpriv, ...first, ...limits]
}

/** Its own sources, the shared ones, and every node_modules above: not the workspace's root, where documents may lie. */
function readableFolders(): string[] {
  const folders = [join(packageRoot, '*'), join(dirname(packageRoot), 'lib', '*')]
  for (let at = packageRoot; at !== dirname(at); at = dirname(at)) {
    folders.push(join(at, 'package.json'))
    if (existsSync(join(at, 'node_modules'))) folders.push(join(at, 'node_modules', '*'))
  }
  return folders
}
