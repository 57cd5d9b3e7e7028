import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Gateway } from '../src/gateway-service.ts'
import { adminKey, eachOf, openPlace, type Place, post, startAt } from './harness.ts'

// who may use a route: everyone; whoever holds an id nobody can guess; whoever may ask; whose it is; keys that may read; that may
// change documents; the owner
type Rule = 'public' | 'byId' | 'chat' | 'own' | 'read' | 'ingest' | 'admin'
const rules: Record<string, Rule> = {
  'GET /api/v1/shadow': 'admin',
  'POST /api/v1/shadow/promote': 'admin',
  'GET /api/v1/generations': 'admin',
  'POST /api/v1/generations': 'admin',
  'POST /api/v1/generations/rollback': 'admin',
  'GET /api/v1/generations/:id': 'admin',
  'DELETE /api/v1/generations/:id': 'admin',
  'POST /api/v1/generations/:id/gate': 'admin',
  'POST /api/v1/generations/:id/activate': 'admin',
  'POST /api/v1/ingest/scan': 'admin',
  'POST /api/v1/ingest/resume': 'admin',
  'POST /api/v1/ingest/pause': 'admin',
  'GET /api/v1/ingest/scans': 'admin',
  'GET /api/v1/ingest': 'admin',
  'GET /api/v1/collections': 'read',
  'POST /api/v1/documents/:id/cancel': 'ingest',
  'POST /api/v1/documents/confirm-removal': 'admin',
  'POST /api/v1/documents/retry': 'ingest',
  'DELETE /api/v1/documents/:id/chunk-edits/:sourceHash': 'admin',
  'PATCH /api/v1/documents/:id/chunks/:chunkId': 'admin',
  'GET /api/v1/documents/:id/attempts': 'ingest',
  'GET /api/v1/documents/:id/preview': 'admin',
  'GET /api/v1/documents/:id/chunks': 'read',
  'GET /api/v1/providers': 'admin',
  'GET /api/v1/shared/:shareId': 'byId',
  'DELETE /api/v1/conversations/:id/shares': 'own',
  'POST /api/v1/conversations/:id/shares': 'own',
  'GET /api/v1/conversations/:id/shares': 'own',
  'GET /api/v1/conversations/:id/export': 'own',
  'POST /api/v1/conversations/:id/branch': 'own',
  'GET /api/v1/conversations/:id/branches': 'own',
  'POST /api/v1/personas/:id/preview': 'admin',
  'POST /api/v1/personas': 'admin',
  'POST /api/v1/personas/import': 'admin',
  'GET /api/v1/personas/:id/export': 'admin',
  'GET /api/v1/personas/:id/versions': 'admin',
  'PATCH /api/v1/personas/:id': 'admin',
  'GET /api/v1/personas/:id': 'admin',
  'DELETE /api/v1/personas/:id': 'admin',
  'POST /api/v1/saved-answers': 'admin',
  'POST /api/v1/records/:answerId/golden': 'admin',
  'GET /api/v1/saved-answers': 'admin',
  'GET /api/v1/golden': 'admin',
  'GET /api/v1/gaps': 'admin',
  'DELETE /api/v1/saved-answers/:id': 'admin',
  'DELETE /api/v1/golden/:id': 'admin',
  'DELETE /api/v1/conversations/:id': 'own',
  'DELETE /api/v1/documents/:id': 'ingest',
  'DELETE /api/v1/keys/:id': 'admin',
  'DELETE /api/v1/prompts/:id': 'admin',
  'DELETE /prompts/:id': 'admin',
  'GET /api/health': 'public',
  'GET /api/openapi.json': 'public',
  'GET /api/stats': 'public',
  'GET /api/v1/answers/:answerId': 'byId',
  'GET /api/v1/answers/:answerId/events': 'byId',
  'GET /api/v1/citations/:citationId': 'byId',
  'GET /api/v1/citations/:citationId/file': 'byId',
  'GET /api/v1/conversations': 'chat',
  'POST /api/v1/conversations': 'chat',
  'POST /api/v1/conversations/:id/attachments': 'own',
  'GET /api/v1/conversations/:id/attachments': 'own',
  'DELETE /api/v1/conversations/:id/attachments/:attachmentId': 'own',
  'GET /api/v1/conversations/:id': 'own',
  'GET /api/v1/conversations/:id/messages': 'own',
  'GET /api/v1/documents': 'read',
  'GET /api/v1/documents/:id': 'read',
  'GET /api/v1/documents/:id/file': 'read',
  'GET /api/v1/documents/events': 'read',
  'GET /api/v1/health': 'public',
  'GET /api/v1/keys': 'admin',
  'GET /api/v1/personas': 'public',
  'GET /api/v1/prompts': 'chat',
  'GET /api/v1/prompts/:id': 'chat',
  'GET /api/v1/records': 'admin',
  'GET /api/v1/records/:answerId': 'admin',
  'GET /api/v1/settings': 'admin',
  'GET /api/v1/settings/diff': 'admin',
  'GET /api/v1/settings/versions': 'admin',
  'GET /api/v1/settings/versions/:version': 'admin',
  'GET /api/v1/stats': 'public',
  'GET /api/v1/system/info': 'public',
  'GET /api/v1/usage': 'admin',
  'GET /api/v1/me': 'public',
  'GET /api/v1/memory': 'chat',
  'PUT /api/v1/memory': 'chat',
  'DELETE /api/v1/memory': 'chat',
  'PATCH /api/v1/memory/:id': 'chat',
  'DELETE /api/v1/memory/:id': 'chat',
  'GET /docs': 'public',
  'GET /docs/init.js': 'public',
  'GET /health': 'public',
  'GET /healthz': 'public',
  'GET /openapi.json': 'public',
  'GET /prompts': 'chat',
  'GET /prompts/:id': 'chat',
  'GET /readyz': 'public',
  'GET /system/info': 'public',
  'GET /v1/models': 'public',
  'GET /v1/models/:model': 'public',
  'PATCH /api/v1/conversations/:id': 'own',
  'PATCH /api/v1/prompts/:id': 'admin',
  'PATCH /api/v1/settings': 'admin',
  'PATCH /prompts/:id': 'admin',
  'POST /api/ask': 'chat',
  'POST /api/ask_stream': 'chat',
  'POST /api/v1/answers': 'chat',
  'POST /api/v1/answers/:answerId/regenerate': 'own',
  'POST /api/v1/answers/:answerId/stop': 'own',
  'POST /api/v1/ask': 'chat',
  'POST /api/v1/documents': 'ingest',
  'POST /api/v1/documents/:id/retry': 'ingest',
  'POST /api/v1/feedback': 'chat',
  'POST /api/v1/keys': 'admin',
  'POST /api/v1/keys/:id/rotate': 'admin',
  'POST /api/v1/prompts': 'admin',
  'POST /api/v1/records/:answerId/replay': 'admin',
  'POST /api/v1/search': 'read',
  'POST /api/v1/settings/rollback': 'admin',
  'POST /chat': 'chat',
  'POST /prompts': 'admin',
  'POST /v1/chat/completions': 'chat',
  'PUT /api/v1/prompts/:id': 'admin',
  'PUT /prompts/:id': 'admin',
}
const roles = ['none', 'chat', 'ingest', 'admin', 'foreign'] as const
type Role = (typeof roles)[number]
const missing = '00000000-0000-4000-8000-000000000000'

// what a role gets for an id that is not there: 401 or 403 where it may not, anything else where it may
function refusalOf(rule: Rule, role: Role, access: 'public' | 'keys'): number | undefined {
  const may: Record<Rule, readonly Role[]> = {
    public: roles,
    byId: roles,
    chat: access === 'keys' ? ['chat', 'admin', 'foreign'] : ['none', 'chat', 'admin', 'foreign'],
    own: access === 'keys' ? ['chat', 'admin', 'foreign'] : ['none', 'chat', 'admin', 'foreign'],
    read: ['ingest', 'admin'],
    ingest: ['ingest', 'admin'],
    admin: ['admin'],
  }
  if (may[rule].includes(role)) return undefined
  return role === 'none' ? 401 : 403
}

describe.for(['public', 'keys'] as const)('C7 every route × every role, ACCESS=%s', (access) => {
  const scope = new AsyncDisposableStack()
  let place: Place
  let gateway: Gateway
  const keys: Record<Role, string> = { none: '', chat: '', ingest: '', admin: '', foreign: '' }
  beforeAll(async () => {
    place = await openPlace(scope)
    gateway = await startAt(place, scope, { ACCESS: access })
    for (const role of ['chat', 'ingest', 'admin', 'foreign'] as const) {
      const made = await post(
        `${gateway.url}/api/v1/keys`,
        { name: role, scopes: [role === 'foreign' ? 'chat' : role] },
        { authorization: `Bearer ${adminKey}` },
      )
      keys[role] = ((await made.json()) as { key: string }).key
    }
  })
  afterAll(() => scope.disposeAsync())

  const as = (role: Role): Record<string, string> => (keys[role] ? { authorization: `Bearer ${keys[role]}` } : {})
  async function call(route: string, role: Role, id = missing): Promise<Response> {
    const [method, path] = route.split(' ') as [string, string]
    const stop = new AbortController()
    const response = await fetch(gateway.url + path.replace(/:\w+/g, id), {
      method,
      headers: { ...as(role), 'content-type': 'application/json' },
      ...(method === 'GET' ? {} : { body: '{"nonsense":1}' }),
      signal: stop.signal,
    })
    // an event stream has no end: its head is all that is looked at
    if (response.headers.get('content-type')?.includes('event-stream')) stop.abort()
    return response
  }

  test('no route is missing in the list, and the list has none that is gone', () => {
    expect(gateway.routes).toEqual(Object.keys(rules).sort())
  })

  test('each role is let in where it may and refused where it may not', async () => {
    const wrong: string[] = []
    // the other rules do not look at ACCESS
    const looked = Object.entries(rules).filter(([, rule]) => access === 'keys' || rule === 'chat' || rule === 'own')
    const calls = looked.flatMap(([route, rule]) => roles.map((role) => ({ route, rule, role })))
    await eachOf(calls, 8, async ({ route, rule, role }) => {
      const { status } = await call(route, role)
      const refusal = refusalOf(rule, role, access)
      const isRight = refusal === undefined ? status !== 401 && status !== 403 && status !== 500 : status === refusal
      if (!isRight) wrong.push(`${route} as ${role}: ${status}, not ${refusal ?? 'let in'}`)
    })
    expect(wrong).toEqual([])
  })

  test('what belongs to one is not there for another, nor for one without a key', async () => {
    const answer = (await (await post(`${gateway.url}/api/v1/ask`, { question: '保修期是多久？' }, as('chat'))).json()) as {
      id: string
      conversationId: string
    }
    const wrong: string[] = []
    for (const [route, rule] of Object.entries(rules)) {
      if (rule !== 'own') continue
      const id = route.includes(':answerId') ? answer.id : answer.conversationId
      for (const role of ['foreign', 'none'] as const) {
        // under ACCESS=public the answer's id, which nobody can guess, is what stops it
        if (route.endsWith('/stop') && access === 'public') continue
        const { status } = await call(route, role, id)
        const asMissing = await call(route, role)
        if (status !== asMissing.status || ![400, 401, 404].includes(status)) wrong.push(`${route} as ${role}: ${status}`)
      }
    }
    expect(wrong).toEqual([])
    const rated = { answerId: answer.id, rating: 1 }
    expect((await post(`${gateway.url}/api/v1/feedback`, rated, as('foreign'))).status).toBe(access === 'keys' ? 404 : 201)
    expect((await post(`${gateway.url}/api/v1/feedback`, rated, as('chat'))).status).toBe(201)
    expect((await fetch(`${gateway.url}/api/v1/conversations/${answer.conversationId}`, { headers: as('chat') })).status).toBe(200)
    const listed = (await (await fetch(`${gateway.url}/api/v1/conversations`, { headers: as('foreign') })).json()) as { items: unknown[] }
    expect(listed.items).toEqual([])
  })

  test('every route is described, the routes of the owner with an example', async () => {
    type Operation = { requestBody?: object; responses: object; security?: unknown[] }
    const { paths } = (await (await fetch(`${gateway.url}/openapi.json`)).json()) as { paths: Record<string, Record<string, Operation>> }
    const aliases = new Set([
      ...gateway.routes.filter((route) => / \/(healthz|readyz|docs|openapi\.json|api\/openapi\.json|docs\/init\.js)$/.test(route)),
      ...gateway.routes.filter((route) => /\/prompts|\/api\/v1\/health|\/api\/v1\/system/.test(route)),
    ])
    const undescribed = gateway.routes.filter((route) => {
      const [method, path] = route.split(' ') as [string, string]
      const operation = paths[path.replace(/:(\w+)/g, '{$1}')]?.[method.toLowerCase()]
      if (aliases.has(route)) return false
      if (!operation) return true
      const hasExample = JSON.stringify(operation).includes('"example":') || JSON.stringify(operation.responses).startsWith('{"204"')
      return rules[route] === 'admin' && !/\/(documents|ingest)/.test(path) && !hasExample
    })
    expect(undescribed).toEqual([])
  })
})
