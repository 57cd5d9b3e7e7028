import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { freePort } from '@docent/kit/free-port'
import pg from 'pg'
import { nginxCommand } from '../../assets/programs.ts'
import { startNginx } from '../start-nginx.ts'
import { tempDatabase } from '../temp-database.ts'
import { type ChildService, startChild, startProgram } from './child-service.ts'
import { openBenchStores, percentile } from './open-bench.ts'
import { ask, crowd, type Door, gatewayDoor, plainDoor } from './relay/load.ts'

const ROUNDS = Number(process.env.BENCH_ROUNDS ?? 5)
const PACED = { streams: 200, perSecond: 50, tokens: 200 }
const BURST = { questions: 160, atOnce: 16, tokens: 200 }
const OPEN = 1_000
const BEHIND_NGINX = 90 // it lets one address have a hundred

/** The whole gateway against a mock model and a mock retrieval; ratios are of one run, A and B in turn. */
export async function benchGateway(scope: AsyncDisposableStack): Promise<Record<string, number>> {
  const stores = await openBenchStores(scope)
  const { chatUrl, ownerUrl } = await tempDatabase(stores.databaseUrl, scope)
  const mock = scope.use(await startProgram(new URL('relay/mock-main.ts', import.meta.url), {}))
  const gatewayFor = async (model: string) => {
    const metricsPort = await freePort()
    const service = await startChild(
      'gateway',
      {
        DATABASE_URL: chatUrl,
        QUEUE_URL: stores.queueUrl,
        CACHE_URL: stores.cacheUrl,
        RETRIEVAL_URL: mock.url,
        INGEST_URL: mock.url,
        INTERNAL_TOKEN: 'bench-internal-token-0123456789-abcdefg',
        ADMIN_KEY: 'bench-admin-key-0123456789-abcdefghijkl',
        RATE_LIMIT_PER_MINUTE: '10000000',
        DAILY_TOKEN_BUDGET: '2000000000',
        MAX_RUNNING_ANSWERS: '2000',
        METRICS_PORT: String(metricsPort),
        LLM_BASE_URL: `${mock.url}/v1`,
        LLM_MODEL: model,
        TRUST_PROXY: '1',
      },
      { nodeFlags: ['--max-semi-space-size=4'] },
    ) // as compose starts it
    return { ...scope.use(service), metricsUrl: `http://127.0.0.1:${metricsPort}/metrics` }
  }
  const rivalFor = async (kind: 'pipe' | 'sdk', model: string) =>
    scope.use(await startProgram(new URL('relay/rival-main.ts', import.meta.url), { RIVAL: kind, UPSTREAM: mock.url, MODEL: model }))
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

  say('3: time to the first text, idle')
  const through: number[] = []
  const direct: number[] = []
  for (let i = 0; i < 150; i++) {
    const a = (await ask(gatewayDoor(burst.url))).firstMs
    const b = (await ask(plainDoor(mock.url, burstModel))).firstMs
    if (i >= 50) through.push(a) && direct.push(b)
  }

  say('4: time to the first text, loaded')
  const rushOwn = (await crowd(gatewayDoor(paced.url), 200, 200, PACED.tokens)).map(({ firstMs }) => firstMs)
  const rushBare = (await crowd(plainDoor(mock.url, pacedModel), 200, 200, PACED.tokens)).map(({ firstMs }) => firstMs)
  const rushPipe = (await crowd(plainDoor(pipe.url), 200, 200, PACED.tokens)).map(({ firstMs }) => firstMs)
  const longModel = 'paced-20-400'
  const long = await gatewayFor(longModel)
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
  const steadyOwn = await steady(gatewayDoor(long.url))
  const steadyDirect = await steady(plainDoor(mock.url, longModel))

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

  say('resume, cache, turns')
  const told = await ask(gatewayDoor(burst.url))
  const replays: number[] = []
  const cpuBefore = burst.cpuS()
  for (let i = 0; i < 200; i++) {
    const from = performance.now()
    await (await fetch(`${burst.url}/api/v1/answers/${told.answerId}/events`)).text()
    replays.push(performance.now() - from)
  }
  const replayCpu = ((burst.cpuS() - cpuBefore) * 1e3) / 200

  const same = `How long is the warranty, said ${randomUUID()}?`
  const repeated: number[] = []
  for (let i = 0; i < 150; i++) repeated.push((await ask(gatewayDoor(burst.url, () => same))).totalMs)

  const short = await gatewayFor('burst-1')
  await crowd(gatewayDoor(short.url), 100, 32, 1)
  const from = performance.now()
  const turnsCpu = short.cpuS()
  await crowd(gatewayDoor(short.url), 1_000, 32, 1)
  const turnS = (performance.now() - from) / 1_000
  const client = new pg.Client({ connectionString: ownerUrl })
  await client.connect()
  const { rows } = await client.query<{ open: number }>(`SELECT count(*)::int AS open FROM chat.message WHERE state = 'streaming'`)
  await client.end()
  if (rows[0]!.open > 0) throw new Error(`${rows[0]!.open} answers were not stored`)

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
    '3 first text through the gateway, idle, p50 ms': median(through),
    '3 added to direct, p50 ms': median(through) - median(direct),
    '4 first text, 200 at once, p50 ms': median(rushOwn),
    '4 added to direct, p50 ms': median(rushOwn) - median(rushBare),
    '4 added to direct, p99 ms': percentile(rushOwn, 0.99) - percentile(rushBare, 0.99),
    '4 bare pipe, added to direct, p50 ms': median(rushPipe) - median(rushBare),
    '4 newcomer over 300 open, added p50 ms': median(steadyOwn) - median(steadyDirect),
    '4 newcomer over 300 open, added p99 ms': percentile(steadyOwn, 0.99) - percentile(steadyDirect, 0.99),
    '5 KB resident per open stream, 1,000 open': ((held - before) * 1_024) / OPEN,
    'resume: replay of 200 tokens from the journal, p50 ms': median(replays),
    'resume: CPU ms each': replayCpu,
    '13 repeated question, p50 ms to the last byte': median(repeated.slice(50)),
    '14 turns per second, 32 at a time': 1_000 / turnS,
    '14 CPU ms per turn': ((short.cpuS() - turnsCpu) * 1_000) / 1_000,
  }
}
