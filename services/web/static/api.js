import { language } from './i18n.js'

const CLIENT = 'docent-client'
const KEY = 'docent-key'
const OWNER_ONLY = 'docent-key-owner-only'
// what belongs to who asks: with another key it would be somebody else's
const own = /^\/api\/v1\/(?:answers|conversations|feedback)(?:[/?]|$)/

/** 128 random bits in hex; randomUUID would want https. */
export function randomId() {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, '0')).join('')
}

/** A random name for this browser: the server's anonymous principal. */
function clientId() {
  let id = localStorage.getItem(CLIENT)
  if (!id) {
    id = randomId()
    localStorage.setItem(CLIENT, id)
  }
  return id
}

/** `forAll` is false where one may ask without a key: then it is sent with what only an owner may do. */
export function useKey(key, forAll = true) {
  sessionStorage.setItem(KEY, key)
  if (forAll) sessionStorage.removeItem(OWNER_ONLY)
  else sessionStorage.setItem(OWNER_ONLY, 'yes')
}

export function forgetKey() {
  sessionStorage.removeItem(KEY)
  sessionStorage.removeItem(OWNER_ONLY)
}

/** The key of this tab, if one was accepted. */
export function keptKey() {
  return sessionStorage.getItem(KEY) ?? undefined
}

/** What the server says went wrong: `code`, a sentence, and when to come back. */
export class Problem extends Error {
  constructor(status, code, message, retryAfterS) {
    super(message)
    this.status = status
    this.code = code
    this.retryAfterS = retryAfterS
  }
}

function keyFor(path) {
  return own.test(path) && sessionStorage.getItem(OWNER_ONLY) ? '' : keptKey()
}

/** Who asks, and in which language. */
export function callerHeaders(key = keptKey()) {
  const headers = { 'accept-language': language === 'zh' ? 'zh-CN' : 'en', 'x-client-id': clientId() }
  return key ? { ...headers, authorization: `Bearer ${key}` } : headers
}

export async function request(
  path,
  { method = 'GET', body, accept = 'application/json', signal, headers: more = {}, key = keyFor(path) } = {},
) {
  const headers = { accept, ...callerHeaders(key), ...more }
  if (body !== undefined) headers['content-type'] = 'application/json'
  const response = await fetch(path, { method, headers, body: body === undefined ? undefined : JSON.stringify(body), signal })
  if (response.ok) return response
  const problem = await response.json().catch(() => ({}))
  const retryAfter = Number(response.headers.get('retry-after') ?? Number.NaN)
  throw new Problem(
    response.status,
    problem.code ?? 'unknown',
    problem.detail ?? problem.title ?? `HTTP ${response.status}`,
    Number.isFinite(retryAfter) ? retryAfter : undefined,
  )
}

export async function getJson(path, { signal, key } = {}) {
  return (await request(path, { signal, key })).json()
}
