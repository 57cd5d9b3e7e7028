import { createLogger } from '@docent/kit/logger'
import { afterAll, beforeAll } from 'vitest'
import { type MockUpstream, openMockUpstream } from '../../lib/testkit/src/mock-upstream.ts'
import type { Config } from '../src/config.ts'
import type { Gateway } from '../src/gateway-service.ts'
import { openPlace, type Place, startAt } from './harness.ts'

type PlaceWishes = {
  /** what the model does at first */
  says?: Parameters<typeof openMockUpstream>[0]
  /** a database of the cache Redis for counts that no other file adds to */
  cacheDatabase?: number
}
type Wishes = PlaceWishes & {
  env?: Record<string, string>
  stream?: Partial<Config['stream']>
  breaker?: Partial<Config['models']['breaker']>
  /** everything is logged there; silent without it */
  logFile?: string
}
type PlaceWithModel = { scope: AsyncDisposableStack; place: Place; model: MockUpstream }

/** Variables of a gateway that asks this model. */
export function asking(model: Pick<MockUpstream, 'url'>): Record<string, string> {
  return { LLM_BASE_URL: model.url, LLM_MODEL: 'mock' }
}

/** For the tests of a `describe`: stores, neighbours and a model, opened before the first of them and closed after the last. */
export function withPlace({ says, cacheDatabase }: PlaceWishes = {}): PlaceWithModel {
  const scope = new AsyncDisposableStack()
  const place = later(async () => {
    const opened = await openPlace(scope)
    if (cacheDatabase !== undefined) opened.cacheUrl = `${opened.cacheUrl.replace(/\/\d*$/, '')}/${cacheDatabase}`
    return opened
  })
  const model = later(async () => scope.use(await openMockUpstream(says)))
  afterAll(() => scope.disposeAsync())
  return { scope, place, model }
}

/** The same with a gateway that asks the model. */
export function withModel({ env, stream, breaker, logFile, ...wishes }: Wishes = {}): PlaceWithModel & { gateway: Gateway } {
  const { scope, place, model } = withPlace(wishes)
  const log = logFile ? createLogger('gateway', 'debug', logFile) : undefined
  const gateway = later(() => startAt(place, scope, { ...asking(model), ...env }, stream, breaker, log))
  return { scope, place, model, gateway }
}

/** Stands for what `open` gives before the first test; whoever looks at it earlier is told so. */
function later<T extends object>(open: () => Promise<T>): T {
  let opened: T | undefined
  beforeAll(async () => {
    opened = await open()
  })
  const real = () => {
    if (!opened) throw new Error('it is opened before the first test, not earlier')
    return opened
  }
  return new Proxy({} as T, {
    get: (_, name) => Reflect.get(real(), name),
    set: (_, name, value) => Reflect.set(real(), name, value),
    ownKeys: () => Reflect.ownKeys(real()),
    getOwnPropertyDescriptor: (_, name) => Reflect.getOwnPropertyDescriptor(real(), name),
  })
}
