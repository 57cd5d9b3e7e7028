import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import { percentile } from './open-bench.ts'
import { ask, crowd, type Door, gatewayDoor, plainDoor, warm } from './relay/load.ts'
import { type Relay, runParts } from './relay/open-relay.ts'

const TOKENS = 200
const AT_ONCE = 200
const ROUNDS = Number(process.env.BENCH_ROUNDS ?? 5)
const parts = { idle, rush, newcomer, repeated, turns }

/** What a turn costs, and how soon its first text comes; BENCH_PARTS=idle,rush,newcomer,repeated,turns names some of it. */
export async function benchTurns(scope: AsyncDisposableStack): Promise<Record<string, number>> {
  return runParts(parts, scope)
}

const median = (values: readonly number[]) => percentile(values, 0.5)

async function idle({ gatewayFor, mock }: Relay) {
  const model = `burst-${TOKENS}`
  const gateway = await gatewayFor(model)
  await warm(gatewayDoor(gateway.url), 16, TOKENS)
  const through: number[] = []
  const direct: number[] = []
  let cpuS = 0
  for (let i = 0; i < 400; i++) {
    if (i === 100) cpuS = gateway.cpuS()
    const a = (await ask(gatewayDoor(gateway.url))).firstMs
    const b = (await ask(plainDoor(mock.url, model))).firstMs
    if (i >= 100) through.push(a) && direct.push(b)
  }
  return {
    '3 first text through the gateway, idle, p50 ms': median(through),
    '3 added to direct, p50 ms': median(through) - median(direct),
    '3 added to direct, p10 ms': percentile(through, 0.1) - percentile(direct, 0.1),
    '3 CPU ms of the gateway each': ((gateway.cpuS() - cpuS) * 1_000) / 300,
  }
}

async function rush({ gatewayFor, rivalFor, mock }: Relay) {
  const model = `paced-50-${TOKENS}`
  const gateway = await gatewayFor(model)
  const pipe = await rivalFor('pipe', model)
  const firsts = async (door: Door) => (await crowd(door, AT_ONCE, AT_ONCE, TOKENS)).map(({ firstMs }) => firstMs)
  const own: number[][] = []
  const bare: number[][] = []
  const piped: number[][] = []
  await warm(gatewayDoor(gateway.url), AT_ONCE, TOKENS)
  await warm(plainDoor(pipe.url), AT_ONCE, TOKENS)
  for (let round = 0; round < ROUNDS; round++) {
    own.push(await firsts(gatewayDoor(gateway.url)))
    bare.push(await firsts(plainDoor(mock.url, model)))
    piped.push(await firsts(plainDoor(pipe.url)))
  }
  const of = (rounds: readonly number[][], share: number) => median(rounds.map((round) => percentile(round, share)))
  return {
    '4 first text, 200 at once, p50 ms': of(own, 0.5),
    '4 added to direct, p50 ms': of(own, 0.5) - of(bare, 0.5),
    '4 added to direct, p99 ms': of(own, 0.99) - of(bare, 0.99),
    '4 bare pipe, added to direct, p50 ms': of(piped, 0.5) - of(bare, 0.5),
  }
}

async function newcomer({ gatewayFor, mock }: Relay) {
  const model = 'paced-20-400'
  const gateway = await gatewayFor(model)
  const steady = async (door: Door) => {
    const holding = Array.from({ length: 300 }, () => ask(door))
    await sleep(3_000)
    const newcomers: Promise<{ firstMs: number }>[] = []
    for (let i = 0; i < 60; i++) {
      newcomers.push(ask(door))
      await sleep(100)
    }
    const firsts = (await Promise.all(newcomers)).map(({ firstMs }) => firstMs)
    await Promise.all(holding)
    return firsts
  }
  const own = await steady(gatewayDoor(gateway.url))
  const direct = await steady(plainDoor(mock.url, model))
  return {
    '4 newcomer over 300 open, added p50 ms': median(own) - median(direct),
    '4 newcomer over 300 open, added p99 ms': percentile(own, 0.99) - percentile(direct, 0.99),
  }
}

async function repeated({ gatewayFor }: Relay) {
  const gateway = await gatewayFor(`burst-${TOKENS}`)
  await warm(gatewayDoor(gateway.url), 16, TOKENS)
  const same = `How long is the warranty, said ${randomUUID()}?`
  const totals: number[] = []
  let cpuS = 0
  for (let i = 0; i < 400; i++) {
    if (i === 100) cpuS = gateway.cpuS()
    const { totalMs } = await ask(gatewayDoor(gateway.url, () => same))
    if (i >= 100) totals.push(totalMs)
  }
  return {
    '13 repeated question, p50 ms to the last byte': median(totals),
    '13 the same, p10 ms': percentile(totals, 0.1),
    '13 CPU ms of the gateway each': ((gateway.cpuS() - cpuS) * 1_000) / 300,
  }
}

async function turns({ gatewayFor, ownerUrl }: Relay) {
  const gateway = await gatewayFor('burst-1')
  await warm(gatewayDoor(gateway.url), 32, 1)
  const from = performance.now()
  const cpuS = gateway.cpuS()
  await crowd(gatewayDoor(gateway.url), 2_000, 32, 1)
  const turnMs = (performance.now() - from) / 2_000
  const turnsCpu = gateway.cpuS() - cpuS
  const client = new pg.Client({ connectionString: ownerUrl })
  await client.connect()
  const { rows } = await client.query<{ open: number }>(`SELECT count(*)::int AS open FROM chat.message WHERE state = 'streaming'`)
  await client.end()
  if (rows[0]!.open > 0) throw new Error(`${rows[0]!.open} answers were not stored`)
  return { '14 turns per second, 32 at a time': 1_000 / turnMs, '14 CPU ms per turn': (turnsCpu * 1_000) / 2_000 }
}
