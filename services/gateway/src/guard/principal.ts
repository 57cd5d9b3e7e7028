import { createHash } from 'node:crypto'
import { AppError } from '@docent/core/errors'
import type { Principal } from '@docent/core/principal'
import { sameSecret } from '@docent/kit/internal'
import type { Request, RequestHandler } from 'express'
import type { ApiKeys } from '../store/api-keys.ts'
import type { SignIn } from './sign-in.ts'

declare global {
  namespace Express {
    interface Request {
      principal: Principal
      /** whose requests are counted together: an IPv4 address or an IPv6 /64 */
      address: string
    }
  }
}

type Guard = { adminKey: string; access: 'public' | 'keys'; publicReads: boolean }
const clientId = /^[\w.:-]{1,128}$/

/**
 * Establishes who asks: admin key, API key, who signed in elsewhere, or the anonymous client by X-Client-Id or address. A wrong key is
 * refused, never downgraded; `countWrong` throws when an address sent too many of them.
 */
export function identifyPrincipal(
  keys: ApiKeys,
  guard: Guard,
  signIn: SignIn,
  countWrong: (address: string) => Promise<void>,
): RequestHandler {
  return async (req, _res, next) => {
    req.address = addressOf(req.ip ?? 'unknown')
    const key = isPlaceholder(req) ? undefined : bearerOf(req)
    if (key === undefined) req.principal = signIn.byHeaders(req, req.method) ?? anonymous(req, guard)
    else if (sameSecret(digest(key), digest(guard.adminKey))) req.principal = admin
    else {
      const person = signIn.byToken(key).catch(async (error: AppError) => {
        if (error.code === 'unauthorized') await countWrong(req.address)
        throw error
      })
      const holder = (await person) ?? (await keys.identify(key))
      if (!holder) {
        await countWrong(req.address)
        throw new AppError('unauthorized', 'This key is not known, was revoked, or has expired.')
      }
      req.principal = holder
    }
    next()
  }
}

const admin: Principal = { id: 'admin', kind: 'admin', scopes: ['chat', 'read', 'ingest', 'admin'] }

function anonymous(req: Request, { access, publicReads }: Guard): Principal {
  const given = req.get('x-client-id')
  // taken for nobody in particular, its conversations would be lost to it
  if (given && !clientId.test(given)) throw new AppError('validation', 'X-Client-Id has 1 to 128 letters, digits or any of _ . : -')
  const id = given ? nameOfClient(given) : `addr:${req.address}`
  return { id, kind: 'anonymous', scopes: [...(access === 'public' ? ['chat' as const] : []), ...(publicReads ? ['read' as const] : [])] }
}

/** Hashed: the id is what opens the client's conversations, so it stays out of rows and logs. */
export function nameOfClient(clientId: string): string {
  return `client:${digest(clientId).slice(0, 32)}`
}

// what vLLM, Ollama, LM Studio, llama.cpp and their guides tell people to send where no key is needed
const placeholders = new Set(
  'none null empty dummy fake unused no-key nokey no-key-required sk-no-key sk-no-key-required not-needed notneeded not-required na n/a ollama lm-studio lmstudio x xxx - docent'.split(
    ' ',
  ),
)

/** OpenAI's clients send some key always: at their addresses, and there alone, such a word stands for none. */
function isPlaceholder(req: Request): boolean {
  const key = /^Bearer(?: +(\S{1,20}))?$/i.exec(req.get('authorization') ?? '')
  return key !== null && /^\/v1\//.test(req.path) && placeholders.has((key[1] ?? 'none').toLowerCase().replaceAll('_', '-'))
}

/** An address may be that of many people; a key, a sign-in or a client id is one reader. */
export function isKnowable(principal: string): boolean {
  return !principal.startsWith('addr:')
}

function bearerOf(req: Request): string | undefined {
  const header = req.get('authorization')
  if (header === undefined) return undefined
  const key = /^Bearer +(\S{1,8192})$/i.exec(header)?.[1]
  if (!key) throw new AppError('unauthorized', 'Send the key as "Authorization: Bearer KEY".')
  return key
}

function digest(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}

function addressOf(ip: string): string {
  const v4 = ip.replace(/^::ffff:/, '')
  return v4.includes(':') ? `${v4.split(':').slice(0, 4).join(':')}::/64` : v4
}

export const requireAdmin: RequestHandler = (req, _res, next) => {
  if (!req.principal.scopes.includes('admin')) {
    throw req.principal.kind === 'anonymous'
      ? new AppError('unauthorized', 'Send the admin key as "Authorization: Bearer KEY".')
      : new AppError('forbidden', 'This needs the admin key.')
  }
  next()
}

/** Uploading, deleting and retrying documents. */
export const requireIngest: RequestHandler = (req, _res, next) => {
  if (!req.principal.scopes.includes('ingest')) {
    throw req.principal.kind === 'anonymous'
      ? new AppError('unauthorized', 'Send a key with the scope ingest, or the admin key, as "Authorization: Bearer KEY".')
      : new AppError('forbidden', 'This key may not change documents.')
  }
  next()
}

/** Asking: anyone under ACCESS=public, a key with the scope chat otherwise. */
export const requireChat: RequestHandler = (req, _res, next) => {
  const { kind, scopes } = req.principal
  if (scopes.includes('chat')) return next()
  if (kind === 'anonymous') throw new AppError('unauthorized', 'Asking needs a key here: "Authorization: Bearer KEY".')
  throw new AppError('forbidden', 'This key may not ask.')
}

/** Document list and search: with a key that may read, or for all when PUBLIC_READS is on. */
export const requireRead: RequestHandler = (req, _res, next) => {
  const { kind, scopes } = req.principal
  if (scopes.includes('read') || scopes.includes('ingest')) return next()
  if (kind === 'anonymous') throw new AppError('unauthorized', 'Reading documents needs a key here; PUBLIC_READS=true opens it.')
  throw new AppError('forbidden', 'This key may not read documents.')
}
