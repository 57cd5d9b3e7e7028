import { readConfig as readEmbedder } from '@docent/embedder/config'
import { readConfig as readExtractor } from '@docent/extractor/config'
import { readConfig as readGateway } from '@docent/gateway/config'
import { readConfig as readIngest } from '@docent/ingest/config'
import { readAll } from '@docent/kit/config'
import { readConfig as readRetrieval } from '@docent/retrieval/config'
import type { SoloSettings } from './solo.ts'

type Env = Record<string, string | undefined>
type Given = Pick<SoloSettings, 'folder' | 'host' | 'port' | 'env'>

/** What every service reads under `npm start`: the user's variables, and those that the start itself decides. */
export function commonEnv({ folder, env, stores }: Given & Pick<SoloSettings, 'stores'>, internalToken: string, socket: string): Env {
  return {
    ...env,
    HOST: '127.0.0.1',
    PORT: '0',
    METRICS_PORT: '0',
    INTERNAL_TOKEN: internalToken,
    QUEUE_URL: stores.queueUrl,
    CACHE_URL: stores.cacheUrl,
    CHROMA_URL: stores.chromaUrl,
    DOCENT_FOLDER: folder,
    EXTRACTOR_SOCKET: socket,
  }
}

export function gatewayEnv(common: Env, { env, host, port, adminKey }: Given & Pick<SoloSettings, 'adminKey'>, addresses: Env): Env {
  return {
    ...common,
    DRAIN_S: env.DRAIN_S || '3', // a person waits for Ctrl-C
    PUBLIC_READS: env.PUBLIC_READS || String(isPrivate(env, host)),
    LOCAL_ONLY: 'true',
    HOST: host,
    PORT: String(port),
    ADMIN_KEY: adminKey,
    ...addresses,
  }
}

/** Only whoever sits at this machine can ask, and nobody has to say who he is: then the list of documents is no secret either. */
function isPrivate(env: Env, host: string): boolean {
  const signsIn = env.ACCESS === 'keys' || Boolean(env.SIGN_IN_USER_HEADER || env.OIDC_ISSUER)
  return !signsIn && (host === 'localhost' || host === '::1' || host.startsWith('127.'))
}

/** Throws every problem that any service would have with its variables, before anything has been started. */
export function checkConfig(given: Given): void {
  const { env } = given
  const place = 'http://127.0.0.1:1'
  // Stands where the start will put what it makes itself; an address that the user gives is checked as it is.
  const stores = {
    databaseUrl: env.DATABASE_URL || 'postgresql://127.0.0.1:1/docent',
    queueUrl: env.QUEUE_URL || 'redis://127.0.0.1:1',
    cacheUrl: env.CACHE_URL || 'redis://127.0.0.1:1',
    chromaUrl: env.CHROMA_URL || place,
  }
  const secret = 'abcdefghijklmnopqrstuvwxyz0123456789'
  const common = { ...commonEnv({ ...given, stores }, secret, '/extractor.sock'), DATABASE_URL: stores.databaseUrl, EMBEDDER_URL: place }
  const gateway = gatewayEnv(common, { ...given, adminKey: secret }, { RETRIEVAL_URL: place, INGEST_URL: place })
  readAll([
    () => readGateway(gateway),
    () => readIngest(common),
    () => readRetrieval(common),
    () => readEmbedder(common),
    () => readExtractor(common),
  ])
}
