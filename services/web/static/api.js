const CLIENT = 'docent-client'
const KEY = 'docent-key'

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

function useKey(key) {
  sessionStorage.setItem(KEY, key)
}

/** Tells whether the server takes it; what it refuses is forgotten. Errors: Problem, or the network's. */
export async function tryKey(key) {
  useKey(key)
  try {
    await request('/api/v1/me')
    return true
  } catch (error) {
    if (!(error instanceof Problem) || error.status !== 401) throw error
    sessionStorage.removeItem(KEY)
    return false
  }
}

export function hasKey() {
  return sessionStorage.getItem(KEY) !== null
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

export async function request(path, { method = 'GET', body, accept = 'application/json', signal, headers: more = {} } = {}) {
  const key = sessionStorage.getItem(KEY)
  const headers = { accept, 'x-client-id': clientId(), ...more }
  if (body !== undefined) headers['content-type'] = 'application/json'
  if (key) headers.authorization = `Bearer ${key}`
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

export async function getJson(path, { signal } = {}) {
  return (await request(path, { signal })).json()
}
