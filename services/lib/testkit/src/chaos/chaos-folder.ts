import { createHash } from 'node:crypto'
import { copyFileSync, cpSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { type Ending, extensionOf, isBad, makeFile, pickKind, type Recipe } from './make-files.ts'

export type File = { hash: string; ending: Ending; recipe?: Recipe }
export type Act = 'edit' | 'add' | 'rename' | 'move a folder' | 'delete' | 'copy' | 'repair or spoil'
export type Move = { from: string; to: string; hash: string }

const acts: readonly [Act, number][] = [
  ['edit', 34],
  ['add', 5],
  ['rename', 24],
  ['move a folder', 5],
  ['delete', 10],
  ['copy', 12],
  ['repair or spoil', 10],
]
const FOLDERS = 25

export type ChaosFolder = ReturnType<typeof createChaosFolder>

/** The folder and what must become of each file in it. Everything that happens follows from `random`. */
export function createChaosFolder(folder: string, random: () => number) {
  const files = new Map<string, File>()
  /** files that wait for their rename to be seen: nothing else happens to them meanwhile */
  const held = new Set<string>()
  const done: Partial<Record<Act, number>> = {}
  let serial = 0

  const pick = <T>(from: readonly T[]): T => from[Math.floor(random() * from.length)]!
  const place = () => `part-${Math.floor(random() * FOLDERS)}${random() < 0.3 ? `/层-${Math.floor(random() * 3)}` : ''}`
  const free = () => [...files].filter(([path, { recipe }]) => recipe && !held.has(path))

  function write(path: string, bytes: Buffer, file: Omit<File, 'hash'>): void {
    const full = join(folder, path)
    mkdirSync(dirname(full), { recursive: true })
    // some programs write in place, others beside it and then rename
    if (random() < 0.5) writeFileSync(full, bytes)
    else {
      writeFileSync(`${full}.part`, bytes)
      renameSync(`${full}.part`, full)
    }
    files.set(path, { ...file, hash: createHash('sha256').update(bytes).digest('hex') })
  }

  function put(path: string, recipe: Recipe): void {
    const { bytes, ending } = makeFile(recipe)
    write(path, bytes, { ending, recipe })
  }

  function add(): void {
    const name = `f${++serial}`
    const recipe = { kind: pickKind(random), seeds: Array.from({ length: 1 + Math.floor(random() * 8) }, (_, i) => `${name}s${i}`) }
    put(`${place()}/${name}.${extensionOf(recipe)}`, recipe)
  }

  function edit(): void {
    const [path, { recipe }] = pick(free().filter(([, file]) => !isBad(file.recipe!)))
    const at = Math.floor(random() * recipe!.seeds.length)
    put(path, { ...recipe!, seeds: recipe!.seeds.with(at, `e${++serial}s${at}`) })
  }

  /** A bad file gets good content, a good one bad content, under the same name. */
  function repairOrSpoil(): void {
    const spoilable = free().filter(([path]) => /\.(txt|docx|pdf)$/.test(path))
    const bad = spoilable.filter(([, file]) => isBad(file.recipe!))
    const [path, { recipe }] = pick(bad.length > 0 && random() < 0.7 ? bad : spoilable)
    const extension = path.slice(path.lastIndexOf('.') + 1)
    const kind = isBad(recipe!)
      ? { txt: 'txt-zh', docx: 'docx', pdf: 'pdf' }[extension]!
      : { txt: 'empty', docx: 'half.docx', pdf: 'picture.pdf' }[extension]!
    put(path, { kind, seeds: [`r${++serial}`] })
  }

  function follow(from: string, to: string): Move {
    const file = files.get(from)!
    files.delete(from)
    files.set(to, file)
    return { from, to, hash: file.hash }
  }

  function rename(): Move[] {
    const [from] = pick(free())
    const extension = from.slice(from.lastIndexOf('.'))
    const to = `${random() < 0.5 ? dirname(from) : place()}/n${++serial}${extension}`
    mkdirSync(dirname(join(folder, to)), { recursive: true })
    renameSync(join(folder, from), join(folder, to))
    return [follow(from, to)]
  }

  function moveFolder(): Move[] {
    const from = pick([...new Set([...files.keys()].map((path) => path.split('/')[0]!))])
    if ([...held].some((path) => path.startsWith(`${from}/`))) return []
    const to = `moved-${++serial}`
    renameSync(join(folder, from), join(folder, to))
    return [...files.keys()].filter((path) => path.startsWith(`${from}/`)).map((path) => follow(path, to + path.slice(from.length)))
  }

  return {
    folder,
    files,
    held,
    done,
    add,
    /** a book that lies elsewhere: each of its files must become ready */
    addBook(source: string, name: string): number {
      const target = join(folder, name)
      cpSync(source, target, { recursive: true, dereference: true })
      const paths = readdirSync(target, { recursive: true, encoding: 'utf8' }).filter((path) => statSync(join(target, path)).isFile())
      for (const path of paths) {
        const hash = createHash('sha256')
          .update(readFileSync(join(target, path)))
          .digest('hex')
        files.set(`${name}/${path}`, { hash, ending: 'ready' })
      }
      return paths.length
    },
    /** One change; returns what moved. */
    act(): Move[] {
      let at = random() * acts.reduce((sum, [, weight]) => sum + weight, 0)
      const [act] = acts.find(([, weight]) => (at -= weight) < 0)!
      done[act] = (done[act] ?? 0) + 1
      if (act === 'add') add()
      else if (act === 'edit') edit()
      else if (act === 'repair or spoil') repairOrSpoil()
      else if (act === 'rename') return rename()
      else if (act === 'move a folder') return moveFolder()
      else {
        const [path, file] = pick(free())
        if (act === 'delete') {
          rmSync(join(folder, path))
          files.delete(path)
        } else {
          const to = `${place()}/c${++serial}${path.slice(path.lastIndexOf('.'))}`
          mkdirSync(dirname(join(folder, to)), { recursive: true })
          copyFileSync(join(folder, path), join(folder, to))
          files.set(to, file)
        }
      }
      return []
    },
    isUnique: (hash: string) => [...files.values()].filter((file) => file.hash === hash).length === 1,
  }
}
