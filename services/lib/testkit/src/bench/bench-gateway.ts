import { setTimeout as sleep } from 'node:timers/promises'
import { nginxCommand } from '../../assets/programs.ts'
import { startNginx } from '../start-nginx.ts'
import type { ChildService } from './child-service.ts'
import { percentile } from './open-bench.ts'
import { ask, crowd, type Door, gatewayDoor, plainDoor, warm } from './relay/load.ts'
import { type Relay, runParts } from './relay/open-relay.ts'

const ROUNDS = Number(process.env.BENCH_ROUNDS ?? 5)
const PACED = { streams: 200, perSecond: 50, tokens: 200 }
const BURST = { questions: 160, atOnce: 16, tokens: 200 }
const OPEN = 1_000
const BEHIND_NGINX = 90 // it lets one address have a hundred
const APART_MS = 10
const WARM_AT_ONCE = 300 // paced answers take four seconds each
const pacedModel = `paced-${PACED.perSecond}-${PACED.tokens}`
const burstModel = `burst-${BURST.tokens}`

const parts = { paced, nginx, burst, memory, resume }
const median = (values: readonly number[]) => percentile(values, 0.5)

/**
 * What streams cost: the whole gateway against a mock model and a mock retrieval; ratios are of one run, A and B in turn.
 * BENCH_PARTS=paced,nginx,burst,memory,resume names some of it.
 */
export async function benchGateway(scope: AsyncDisposableStack): Promise<Record<string, number>> {
  return runParts(parts, scope)
}

/** A and B in turn, both warm. */
async function inTurn(a: () => Promise<number>, b: () => Promise<number>): Promise<[number, number]> {
  const [ofA, ofB]: [number[], number[]] = [[], []]
  for (let round = 0; round < ROUNDS; round++) {
    ofA.push(await a())
    ofB.push(await b())
  }
  return [median(ofA), median(ofB)]
}

/** CPU µs per token of `streams` that begin one after another. */
async function perToken(cpuS: () => number, door: Door, streams: number): Promise<number> {
  const before = cpuS()
  await crowd(door, streams, streams, PACED.tokens, APART_MS)
  return ((cpuS() - before) * 1e6) / (streams * PACED.tokens)
}

async function paced({ gatewayFor, rivalFor, mock }: Relay) {
  const gateway = await gatewayFor(pacedModel)
  const pipe = await rivalFor('pipe', pacedModel)
  await warm(gatewayDoor(gateway.url), WARM_AT_ONCE, PACED.tokens)
  await warm(plainDoor(pipe.url), WARM_AT_ONCE, PACED.tokens)
  const lagS = async () => /^nodejs_eventloop_lag_p99_seconds\S* (\S+)/m.exec(await (await fetch(gateway.metricsUrl)).text())?.[1]
  await lagS() // told since it was asked last: not that of the warm-up
  const mocking: number[] = []
  const [own, bare] = await inTurn(
    async () => {
      const before = mock.cpuS()
      const us = await perToken(gateway.cpuS, gatewayDoor(gateway.url), PACED.streams)
      mocking.push(((mock.cpuS() - before) * 1e6) / (PACED.streams * PACED.tokens))
      return us
    },
    () => perToken(pipe.cpuS, plainDoor(pipe.url), PACED.streams),
  )
  return {
    '1 relay: CPU µs per token, 200 streams × 50/s': own,
    '1 bare node:http pipe: the same': bare,
    '1 ratio': own / bare,
    '1 the mock model: the same': median(mocking),
    '1 event loop lag of the gateway, p99 ms': Number(await lagS()) * 1_000,
  }
}

async function nginx({ gatewayFor }: Relay, scope: AsyncDisposableStack) {
  const gateway = await gatewayFor(pacedModel)
  const front = await startNginx(nginxCommand(), Number(new URL(gateway.url).port), scope, { tls: true })
  await warm(gatewayDoor(gateway.url), WARM_AT_ONCE, PACED.tokens)
  const cpuS = () => gateway.cpuS() + front.cpuS()
  const [behind, bare] = await inTurn(
    () => perToken(cpuS, gatewayDoor(front.url), BEHIND_NGINX),
    () => perToken(cpuS, gatewayDoor(gateway.url), BEHIND_NGINX),
  )
  return { '6 through TLS nginx: extra CPU µs per token': behind - bare }
}

async function burst({ gatewayFor, rivalFor }: Relay) {
  const gateway = await gatewayFor(burstModel)
  const sdk = await rivalFor('sdk', burstModel)
  await warm(gatewayDoor(gateway.url), BURST.atOnce, BURST.tokens)
  await warm(plainDoor(sdk.url), BURST.atOnce, BURST.tokens)
  const tokensPerCpuS = async (service: ChildService, door: Door) => {
    const before = service.cpuS()
    await crowd(door, BURST.questions, BURST.atOnce, BURST.tokens)
    return (BURST.questions * BURST.tokens) / (service.cpuS() - before)
  }
  const [own, usual] = await inTurn(
    () => tokensPerCpuS(gateway, gatewayDoor(gateway.url)),
    () => tokensPerCpuS(sdk, plainDoor(sdk.url)),
  )
  return { '2 burst: tokens per CPU-s': own, '2 Express and openai SDK: the same': usual, '2 ratio': own / usual }
}

async function memory({ gatewayFor }: Relay) {
  const gateway = await gatewayFor('paced-1-25')
  const door = gatewayDoor(gateway.url)
  await crowd(door, 20, 20, 25)
  const before = gateway.memory().rssMb
  let heard = 0
  const open = Array.from({ length: OPEN }, () => ask(door, () => heard++))
  while (heard < OPEN) await sleep(50)
  await sleep(5_000)
  const held = gateway.memory().rssMb
  await Promise.all(open)
  return { '5 KB resident per open stream, 1,000 open': ((held - before) * 1_024) / OPEN }
}

async function resume({ gatewayFor }: Relay) {
  const gateway = await gatewayFor(burstModel)
  const told = await ask(gatewayDoor(gateway.url))
  const replays: number[] = []
  const before = gateway.cpuS()
  for (let i = 0; i < 200; i++) {
    const from = performance.now()
    await (await fetch(`${gateway.url}/api/v1/answers/${told.answerId}/events`)).text()
    replays.push(performance.now() - from)
  }
  return {
    'resume: replay of 200 tokens from the journal, p50 ms': median(replays),
    'resume: CPU ms each': ((gateway.cpuS() - before) * 1e3) / 200,
  }
}
