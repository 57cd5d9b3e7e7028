import { isUtf8 } from 'node:buffer'
import type { IncomingMessage } from 'node:http'
import { AppError } from '@docent/core/errors'
import type { Principal } from '@docent/core/principal'
import { sameSecret } from '@docent/kit/internal'
import { createRemoteJWKSet, errors, type JWTPayload, type JWTVerifyGetKey, jwtVerify } from 'jose'
import { isOwnOrigin } from './headers.ts'

type Headed = Pick<IncomingMessage, 'headers' | 'headersDistinct'>

/** Who signed in elsewhere: at a proxy in front that says so in headers, or at an OIDC provider whose token comes with the request. */
export type SignIn = {
  /** The person whom the proxy names; undefined when it names nobody. Refuses a name without the proxy's secret, and one that came twice. */
  byHeaders(req: Headed, method: string): Principal | undefined
  /** The person of a token; undefined when bearer tokens of people are not taken, or this is none. Refuses a bad one. */
  byToken(token: string): Promise<Principal | undefined>
}

export type SignInConfig = {
  proxy?: { userHeader: string; groupsHeader: string | undefined; secret: string } | undefined
  oidc?: { issuer: string; audience: string; groupsClaim: string } | undefined
  adminGroups: readonly string[]
  allowedOrigins: readonly string[]
}

export const proxySecretHeader = 'x-docent-proxy-secret'

const MAX_NAME = 200
const MAX_GROUPS_CHARS = 6_000 // they travel in a header between the services
const ISSUER_MS = 3_000
const CLOCK_SKEW_S = 30
const algorithms = ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512', 'EdDSA', 'Ed25519']
const unsafeMethods = new Set(['POST', 'PUT', 'PATCH', 'DELETE'])

export function createSignIn({ proxy, oidc, adminGroups, allowedOrigins }: SignInConfig): SignIn {
  const keys = oidc ? createKeys(oidc.issuer) : undefined

  function personOf(name: string, groups: readonly string[]): Principal {
    if (name === '' || name.length > MAX_NAME || /\p{Cc}/u.test(name))
      throw new AppError('unauthorized', `The name of who signed in is empty or has more than ${MAX_NAME} characters.`)
    if (groups.join().length > MAX_GROUPS_CHARS)
      throw new AppError('unauthorized', 'The sign-in names too many groups: let it send only those that Docent needs.')
    const isAdmin = groups.some((group) => adminGroups.includes(group))
    return {
      id: `user:${name}`,
      kind: isAdmin ? 'admin' : 'user',
      scopes: isAdmin ? ['chat', 'read', 'ingest', 'admin'] : ['chat', 'read'],
      groups: [...groups],
    }
  }

  return {
    byHeaders({ headers, headersDistinct }, method) {
      if (!proxy) return undefined
      const name = one(headers[proxy.userHeader])
      if (name === undefined) return undefined
      if (!sameSecret(one(headers[proxySecretHeader]) ?? '', proxy.secret))
        throw new AppError('unauthorized', 'The name of a user came without the secret of the proxy that may tell it.')
      // a proxy that adds its header to that of the caller would let him name his own groups
      for (const header of [proxy.userHeader, proxy.groupsHeader, proxySecretHeader])
        if (header && (headersDistinct[header]?.length ?? 0) > 1)
          throw new AppError('unauthorized', `${header} came twice: the proxy has to drop what its callers send by that name.`)
      // the browser sends the proxy's cookie with a request that another site made
      const isForeign =
        headers['sec-fetch-site'] === 'cross-site' ||
        !isOwnOrigin(one(headers.origin), one(headers['x-forwarded-host']) ?? one(headers.host), allowedOrigins)
      if (isForeign && unsafeMethods.has(method)) throw new AppError('forbidden', 'This web origin is not in ALLOWED_ORIGINS.')
      return personOf(name.trim(), listOf(proxy.groupsHeader ? one(headers[proxy.groupsHeader]) : undefined))
    },

    async byToken(token) {
      if (!oidc || !keys || token.split('.').length !== 3) return undefined
      const { payload } = await verified(token, keys, oidc)
      return personOf(payload.sub ?? '', listOf(payload[oidc.groupsClaim]))
    },
  }
}

async function verified(token: string, keys: JWTVerifyGetKey, { issuer, audience }: { issuer: string; audience: string }) {
  try {
    const options = { issuer, audience, algorithms, clockTolerance: CLOCK_SKEW_S, requiredClaims: ['sub', 'exp'] }
    return await jwtVerify<JWTPayload>(token, keys, options)
  } catch (error) {
    if (error instanceof AppError) throw error
    if (error instanceof errors.JWTExpired) throw new AppError('unauthorized', 'The token has expired: sign in again.', { cause: error })
    // no answer of the provider is no verdict on the token
    const isAway = !(error instanceof errors.JOSEError) || error instanceof errors.JWKSTimeout || error.code === 'ERR_JOSE_GENERIC'
    if (isAway) throw providerAway(error)
    throw new AppError('unauthorized', 'The token is not one of the configured provider for this service.', { cause: error })
  }
}

/** The provider's keys, found through its discovery document with the first token; a failure is forgotten. */
function createKeys(issuer: string): JWTVerifyGetKey {
  let found: Promise<JWTVerifyGetKey> | undefined

  async function discover(): Promise<JWTVerifyGetKey> {
    const response = await fetch(`${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`, {
      signal: AbortSignal.timeout(ISSUER_MS),
      redirect: 'error',
    })
    if (!response.ok) throw new Error(`the discovery document of the provider: ${response.status}`)
    const told = (await response.json()) as { issuer?: unknown; jwks_uri?: unknown }
    if (told.issuer !== issuer) throw new Error(`the discovery document names another issuer than OIDC_ISSUER`)
    const address = new URL(String(told.jwks_uri))
    if (address.protocol !== 'https:' && address.protocol !== new URL(issuer).protocol)
      throw new Error('the keys of the provider are not offered over https as it is itself')
    return createRemoteJWKSet(address, { timeoutDuration: ISSUER_MS, cooldownDuration: 10_000 })
  }

  return async (header, token) => {
    found ??= discover()
    const keys = await found.catch((error: unknown) => {
      found = undefined
      throw providerAway(error)
    })
    return keys(header, token)
  }
}

function providerAway(cause: unknown): AppError {
  return new AppError('unavailable', 'The sign-in provider does not answer; try again in a moment.', { cause, retryAfterS: 5 })
}

/** Node reads headers as Latin-1; names in them are UTF-8. */
function one(header: string | string[] | undefined): string | undefined {
  const text = Array.isArray(header) ? header.join(',') : header
  if (text === undefined) return undefined
  const bytes = Buffer.from(text, 'latin1')
  return isUtf8(bytes) ? bytes.toString('utf8') : text
}

/** `["a","b"]`, `a,b` and `a|b`: as claims and proxies write them. */
function listOf(value: unknown): string[] {
  const given = typeof value === 'string' ? value.split(/[,|]/) : Array.isArray(value) ? value : []
  const entries = given.filter((entry) => typeof entry === 'string')
  return [...new Set(entries.map((entry) => entry.trim()).filter(Boolean))]
}
