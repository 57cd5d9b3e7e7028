import { setTimeout as sleep } from 'node:timers/promises'
import { nginxCommand } from '../../assets/programs.ts'
import { startNginx } from '../start-nginx.ts'
import type { ChildService } from './child-service.ts'
import { percentile } from './open-bench.ts'
import { ask, crowd, type Door, gatewayDoor, plainDoor } from './relay/load.ts'
import { openRelay } from './relay/open-relay.ts'

const ROUNDS = Number(process.env.BENCH_ROUNDS ?? 5)
const PACED = { streams: 200, perSecond: 50, tokens: 200 }
const BURST = { questions: 160, atOnce: 16, tokens: 200 }
const OPEN = 1_000
const BEHIND_NGINX = 90 // it lets one address have a hundred

/** What streams cost: the whole gateway against a mock model and a mock retrieval; ratios are of one run, A and B in turn. */
export async function benchGateway(scope: AsyncDisposableStack): Promise<Record<string, number>> {
  const { gatewayFor, rivalFor } = await openRelay(scope)
  const say = (line: string) => console.error(line)

  say('1: 200 paced streams')
  const pacedModel = `paced-${PACED.perSecond}-${PACED.tokens}`
  const paced = await gatewayFor(pacedModel)
  const pipe = await rivalFor('pipe', pacedModel)
  const perToken = async (service: ChildService, door: Door) => {
    const before = service.cpuS()
    await crowd(door, PACED.streams, PACED.streams, PACED.tokens, 10)
    return ((service.cpuS() - before) * 1e6) / (PACED.streams * PACED.tokens)
  }
  const own: number[] = []
  const bare: number[] = []
  for (let round = 0; round <= ROUNDS; round++) {
    const a = await perToken(paced, gatewayDoor(paced.url))
    const b = await perToken(pipe, plainDoor(pipe.url))
    if (round > 0) own.push(a) && bare.push(b) // the first is for the compiler
  }
  const lag = /^nodejs_eventloop_lag_p99_seconds\S* (\S+)/m.exec(await (await fetch(paced.metricsUrl)).text())?.[1]

  say('6: through TLS nginx')
  const nginx = await startNginx(nginxCommand(), Number(new URL(paced.url).port), scope, { tls: true })
  const cpuPerToken = async (door: Door) => {
    const cpuS = () => paced.cpuS() + nginx.cpuS()
    const before = cpuS()
    await crowd(door, BEHIND_NGINX, BEHIND_NGINX, PACED.tokens, 10)
    return ((cpuS() - before) * 1e6) / (BEHIND_NGINX * PACED.tokens)
  }
  const behind: number[] = []
  const bareGateway: number[] = []
  for (let round = 0; round <= ROUNDS; round++) {
    const a = await cpuPerToken(gatewayDoor(nginx.url))
    const b = await cpuPerToken(gatewayDoor(paced.url))
    if (round > 0) behind.push(a) && bareGateway.push(b)
  }

  say('2: bursts')
  const burstModel = `burst-${BURST.tokens}`
  const burst = await gatewayFor(burstModel)
  const sdk = await rivalFor('sdk', burstModel)
  const tokensPerCpuS = async (service: ChildService, door: Door) => {
    const before = service.cpuS()
    await crowd(door, BURST.questions, BURST.atOnce, BURST.tokens)
    return (BURST.questions * BURST.tokens) / (service.cpuS() - before)
  }
  const burstOwn: number[] = []
  const burstSdk: number[] = []
  for (let round = 0; round <= ROUNDS; round++) {
    const a = await tokensPerCpuS(burst, gatewayDoor(burst.url))
    const b = await tokensPerCpuS(sdk, plainDoor(sdk.url))
    if (round > 0) burstOwn.push(a) && burstSdk.push(b)
  }

  say('5: memory of open streams')
  const slow = await gatewayFor('paced-1-25')
  await crowd(gatewayDoor(slow.url), 20, 20, 25)
  const before = slow.memory().rssMb
  let heard = 0
  const open = Array.from({ length: OPEN }, () => ask(gatewayDoor(slow.url), () => heard++))
  while (heard < OPEN) await sleep(50)
  await sleep(5_000)
  const held = slow.memory().rssMb
  await Promise.all(open)

  say('resume')
  const told = await ask(gatewayDoor(burst.url))
  const replays: number[] = []
  const cpuBefore = burst.cpuS()
  for (let i = 0; i < 200; i++) {
    const from = performance.now()
    await (await fetch(`${burst.url}/api/v1/answers/${told.answerId}/events`)).text()
    replays.push(performance.now() - from)
  }
  const replayCpu = ((burst.cpuS() - cpuBefore) * 1e3) / 200

  const median = (values: readonly number[]) => percentile(values, 0.5)
  return {
    '1 relay: CPU µs per token, 200 streams × 50/s': median(own),
    '1 bare node:http pipe: the same': median(bare),
    '1 ratio': median(own) / median(bare),
    '1 event loop lag of the gateway, p99 ms': Number(lag) * 1_000,
    '6 through TLS nginx: extra CPU µs per token': median(behind) - median(bareGateway),
    '2 burst: tokens per CPU-s': median(burstOwn),
    '2 openai SDK on node:http: the same': median(burstSdk),
    '2 ratio': median(burstOwn) / median(burstSdk),
    '5 KB resident per open stream, 1,000 open': ((held - before) * 1_024) / OPEN,
    'resume: replay of 200 tokens from the journal, p50 ms': median(replays),
    'resume: CPU ms each': replayCpu,
  }
}
