import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { isFull, PATIENCE, record, secondsSince, seeded } from './fault-record.ts'
import { longText, openWorld, type World } from './worker-world.ts'

const plan = isFull ? { files: 500, kills: 200, deadlineMs: 300_000 } : { files: 40, kills: 8, deadlineMs: 60_000 }
const SEED = 20_260_731
// after the worker is up: in the middle of its work
const LIVES_MS = 1_500

test(`${plan.kills} kills at random over ${plan.files} files that are edited, renamed and deleted meanwhile: all of it agrees`, {
  ...PATIENCE,
  timeout: isFull ? 1_800_000 : 180_000,
}, async (context) => {
  await using scope = new AsyncDisposableStack()
  const random = seeded(SEED)
  const world = await openWorld(scope)
  const started = performance.now()
  for (let i = 0; i < plan.files; i++) world.put(`file-${i}.txt`, longText(`f${i}`, 1 + Math.floor(random() * 30)))
  for (let kill = 0; kill < plan.kills; kill++) {
    const worker = await world.worker()
    await worker.up()
    await sleep(random() * LIVES_MS)
    worker.send('SIGKILL')
    await worker.ended()
    disturb(world, kill, random)
  }
  const last = await world.worker()
  await last.up()
  const up = performance.now()
  await world.allReady(plan.deadlineMs)
  const seconds = secondsSince(up)
  const { files, documents } = await world.clean(60_000)
  expect(documents).toBe(files)
  // what had been embedded was committed batch by batch: a kill costs at most the batches under way
  const again = world.embedder.embedded.length - new Set(world.embedder.embedded).size
  expect(again).toBeLessThanOrEqual(plan.kills * 2 * 16)
  record(context, {
    row: 2,
    fault: `worker SIGKILL, ${plan.kills} times in ${plan.files} files`,
    moment: 'random',
    seconds,
    note: `seed ${SEED}; ${Math.round(secondsSince(started))} s in all, ${again} of ${world.embedder.embedded.length} texts embedded twice`,
  })
})

/** An edit, a rename, a removal or a new file between two lives of the worker. */
function disturb(world: World, turn: number, random: () => number): void {
  const paths = world.paths()
  const path = paths[Math.floor(random() * paths.length)]!
  const act = Math.floor(random() * 4)
  if (act === 0) world.put(path, longText(`edit${turn}`, 1 + Math.floor(random() * 20)))
  else if (act === 1) world.rename(path, `renamed-${turn}.txt`)
  else if (act === 2) world.remove(path)
  else world.put(`new-${turn}.txt`, longText(`n${turn}`, 5))
}
