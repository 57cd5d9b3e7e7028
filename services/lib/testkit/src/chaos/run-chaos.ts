import { setTimeout as sleep } from 'node:timers/promises'
import { seeded } from '../../../../ingest/test/fault-record.ts'
import { type ChaosFolder, createChaosFolder, type Move } from './chaos-folder.ts'
import { type ChaosStack, openChaosStack } from './chaos-stack.ts'
import { type Judgement, judge, type Rename, wrongEndings } from './judge.ts'

export type ChaosOptions = {
  minutes: number
  /** how long after the last fault everything may take to come to rest */
  deadlineMinutes: number
  files: number
  seed: number
  isModel: boolean
  books: readonly string[]
  say: (line: string) => void
}
export type Kills = { worker: number; queue: number; emptied: number; chroma: number }
export type ChaosResult = Judgement & {
  kills: Kills
  done: ChaosFolder['done']
  renames: readonly Rename[]
  unseen: number
  files: number
  bookFiles: number
  seconds: number | undefined
  metrics: { embedded: number; reused: number }
  repeats: ReturnType<ChaosStack['tally']['repeats']>
}

const WORKERS = 2
const STEP_MS = 650
const LOOK_MS = 2_000

/** Files go in and are changed while workers and stores are killed, all of it by `seed`; then it must come to rest and agree. */
export async function runChaos({ minutes, deadlineMinutes, files, seed, isModel, books, say }: ChaosOptions): Promise<ChaosResult> {
  await using scope = new AsyncDisposableStack()
  const stack = await openChaosStack(scope, { isModel })
  const folder = createChaosFolder(stack.folder, seeded(seed))
  const kills: Kills = { worker: 0, queue: 0, emptied: 0, chroma: 0 }
  const watch = watchRenames(folder, stack)
  const end = performance.now() + minutes * 60_000
  const isOver = () => performance.now() >= end

  let bookFiles = 0
  books.forEach((book, i) => {
    bookFiles += folder.addBook(book, `book-${i + 1}`)
  })
  for (let i = 0; i < files / 2; i++) folder.add()
  say(`${folder.files.size} files lie in the folder, ${bookFiles} of them from books; more come`)

  const parts = [
    ...Array.from({ length: WORKERS }, (_, i) => hitWorker(stack, seeded(seed + 1 + i), isOver, kills)),
    hitStores(stack, seeded(seed + 99), isOver, kills),
    disturb(folder, watch, files, isOver, end),
    report(stack, folder, kills, isOver, say),
  ]
  await Promise.all(parts)

  const rested = performance.now()
  say('the last fault is over; now it must come to rest')
  const seconds = await atRest(folder, stack, watch, rested + deadlineMinutes * 60_000, say)
  // counters are read before the last workers end with the scope
  for (const worker of stack.workers()) await worker.readMetrics()
  const judgement = await judge(folder, stack, watch.seen)
  if (judgement.wrong.length > 0) say(`the processes' last words:\n${stack.tail()}`)
  return {
    ...judgement,
    kills,
    done: folder.done,
    renames: watch.seen,
    unseen: watch.open.length,
    files: folder.files.size,
    bookFiles,
    seconds,
    metrics: stack.metrics(),
    repeats: stack.tally.repeats(await stack.goneVectors()),
  }
}

async function hitWorker(stack: ChaosStack, random: () => number, isOver: () => boolean, kills: Kills): Promise<void> {
  for (;;) {
    const worker = await stack.startWorker()
    const lives = performance.now() + 3_000 + random() * 25_000
    while (performance.now() < lives && !isOver()) {
      await sleep(250)
      if (worker.isOver()) throw new Error(`a worker ended by itself: ${stack.tail()}`)
    }
    if (isOver()) return // this one stays
    await worker.kill()
    kills.worker++
  }
}

async function hitStores(stack: ChaosStack, random: () => number, isOver: () => boolean, kills: Kills): Promise<void> {
  for (;;) {
    const next = performance.now() + 15_000 + random() * 20_000
    while (performance.now() < next && !isOver()) await sleep(250)
    if (isOver()) return
    if (random() < 0.5) {
      await stack.killChroma()
      kills.chroma++
      continue
    }
    await stack.queue.kill()
    kills.queue++
    await sleep(500 + random() * 7_000)
    await stack.queue.start()
    if (random() < 0.3) {
      await stack.queue.client.flushall()
      kills.emptied++
    }
  }
}

/** The rest of the files comes in the first half of the time, between the changes. */
async function disturb(folder: ChaosFolder, watch: Watch, files: number, isOver: () => boolean, end: number): Promise<void> {
  const started = performance.now()
  const halfMs = (end - started) / 2
  let added = Math.ceil(files / 2)
  while (!isOver()) {
    const due = Math.min(files, Math.ceil(files / 2 + ((performance.now() - started) / halfMs) * (files / 2)))
    for (; added < due; added++) folder.add()
    await watch.expect(() => folder.act())
    await sleep(STEP_MS)
  }
  for (; added < files; added++) folder.add()
}

type Watch = ReturnType<typeof watchRenames>

/** Follows each rename of a file that was known with this content until the ledger has seen it: its id must have gone along. */
function watchRenames(folder: ChaosFolder, stack: ChaosStack) {
  const open: (Omit<Rename, 'keepsId'> & { isUnique: boolean })[] = []
  const seen: Rename[] = []
  const listKnown = async () => new Map((await stack.corpus.listKnown()).map((document) => [document.path, document]))
  let lookedAt = 0

  async function look(): Promise<void> {
    lookedAt = performance.now()
    const known = await listKnown()
    for (const move of open.splice(0)) {
      const document = known.get(move.to)
      if (document?.contentHash !== move.hash) {
        open.push(move)
        continue
      }
      folder.held.delete(move.to)
      // of two files with one content it cannot be said which one moved
      const keepsId = document.id === move.documentId || !move.isUnique
      seen.push({ ...move, keepsId })
    }
  }

  return {
    open,
    seen,
    look,
    async expect(act: () => Move[]): Promise<void> {
      const before = await listKnown()
      const at = new Date()
      for (const { from, to, hash } of act()) {
        const document = before.get(from)
        if (document?.contentHash !== hash) continue
        folder.held.add(to)
        open.push({ from, to, hash, documentId: document.id, state: document.state, at, isUnique: folder.isUnique(hash) })
      }
      if (performance.now() - lookedAt > LOOK_MS) await look()
    },
  }
}

/** Seconds until every file has ended as it must and the oracle finds nothing; undefined when the deadline passes. */
async function atRest(
  folder: ChaosFolder,
  stack: ChaosStack,
  watch: Watch,
  deadline: number,
  say: (line: string) => void,
): Promise<number | undefined> {
  const since = performance.now()
  let next = since
  while (performance.now() < deadline) {
    await watch.look()
    const wrong = await wrongEndings(folder, stack)
    const judged = wrong.length === 0 ? await judge(folder, stack, []) : undefined
    const found = judged?.verdict.findings.map(({ fault, path, detail }) => `${fault} ${path}: ${detail}`)
    if (found?.length === 0 && judged?.openAttempts === 0) return (performance.now() - since) / 1000
    if (performance.now() > next) {
      next = performance.now() + 30_000
      say(
        `${wrong.length} files are not yet what they must be, ${found?.length ?? '?'} findings, ${judged?.openAttempts ?? '?'} attempts open: ${[...wrong, ...(found ?? [])].slice(0, 3).join('; ')}`,
      )
    }
    await sleep(LOOK_MS)
  }
  return undefined
}

async function report(
  stack: ChaosStack,
  folder: ChaosFolder,
  kills: Kills,
  isOver: () => boolean,
  say: (line: string) => void,
): Promise<void> {
  let next = 0
  while (!isOver()) {
    for (const worker of stack.workers()) await worker.readMetrics()
    if (performance.now() > next) {
      next = performance.now() + 30_000
      const counts = await stack.corpus.countDocuments()
      say(`${folder.files.size} files; ${JSON.stringify(counts)}; killed: ${JSON.stringify(kills)}`)
    }
    await sleep(1_000)
  }
}
