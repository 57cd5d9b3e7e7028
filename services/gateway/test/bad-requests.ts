import { gzipSync } from 'node:zlib'
import { adminKey } from './harness.ts'

export const owner = { authorization: `Bearer ${adminKey}` }
export const json = { 'content-type': 'application/json' }
export const missing = '00000000-0000-4000-8000-000000000000'
export const esc = '\u001b'

type Bad = {
  name: string
  path?: string
  method?: string
  headers?: Record<string, string>
  body?: string | Uint8Array<ArrayBuffer>
  status: number | number[]
  code?: string
}
export const ask = (question: string) => JSON.stringify({ question })
const chat = (rest: object) => JSON.stringify({ messages: [{ role: 'user', content: 'x' }], ...rest })
const get = (name: string, path: string, status: Bad['status'], headers: Record<string, string> = owner): Bad => ({
  name,
  method: 'GET',
  path,
  headers,
  status,
})
const completions = '/v1/chat/completions'
const ids = ['x', '..%2f..', 'a'.repeat(10_000), '%00', '%ff', missing]

/** H1 to H41 as single requests: each ends with its status and, where it has one, its stable code. */
export const badRequests: Bad[] = [
  ...['', 'null', '[]', '{}', '7', '"x"', 'true'].map(
    (body): Bad => ({ name: `H1 the body ${body || 'is empty'}`, body, status: 400, code: 'validation' }),
  ),
  ...['{"question":', '{question:1}', "{'question':'x'}", '{"question":"x"}}', '\ufeff\ufeff{}'].map(
    (body): Bad => ({ name: `H2 ${body}`, body, status: 400, code: 'invalid_json' }),
  ),
  {
    name: 'H2 bytes that are no UTF-8',
    body: Uint8Array.of(...Buffer.from('{"question":"'), 0xc3, 0x28, 0xff, ...Buffer.from('"}')),
    status: 400,
    code: 'invalid_json',
  },
  { name: 'H3 2 MB', body: ask('x'.repeat(2_000_000)), status: 413, code: 'payload_too_large' },
  { name: 'H4 nested 100,000 deep', body: `{"question":${'['.repeat(100_000)}${']'.repeat(100_000)}}`, status: 400 },
  { name: 'H5 __proto__', body: '{"question":"x","__proto__":{"isAdmin":true}}', status: 400, code: 'validation' },
  { name: 'H5 constructor', body: '{"question":"x","constructor":{"prototype":{"a":1}}}', status: 400, code: 'validation' },
  { name: 'H6 a duplicate key, the last one wrong', body: '{"question":"x","question":7}', status: 400, code: 'validation' },
  ...['question', 'conversationId', 'persona', 'stream', 'async', 'filters', 'collection', 'onDisconnect'].flatMap((field) =>
    ['7', '[]', '{"a":1}', 'null'].map(
      (value): Bad => ({ name: `H7 ${field} is ${value}`, body: `{"question":"x","${field}":${value}}`, status: 400, code: 'validation' }),
    ),
  ),
  { name: 'H8 an unknown field', body: '{"question":"x","temperature":1}', status: 400, code: 'validation' },
  { name: 'H8 an unknown filter', body: '{"question":"x","filters":{"sql":"1"}}', status: 400, code: 'validation' },
  {
    name: 'H8 a media type that can match nothing',
    body: '{"question":"x","filters":{"mediaType":"pdf"}}',
    status: 400,
    code: 'validation',
  },
  ...['"\\u200b\\u200b"', '"x\\u0000"', '"\\ud800"', '" "'].map(
    (query): Bad => ({
      name: `H8 a search for ${query}`,
      path: '/api/v1/search',
      headers: owner,
      body: `{"query":${query}}`,
      status: 400,
      code: 'validation',
    }),
  ),
  { name: 'H9 1e400', body: '{"question":1e400}', status: 400, code: 'validation' },
  { name: 'H9 NaN', body: '{"question":NaN}', status: 400, code: 'invalid_json' },
  {
    name: 'H9 -0 sources',
    method: 'PATCH',
    path: '/api/v1/settings',
    headers: owner,
    body: '{"topK":-0}',
    status: 400,
    code: 'validation',
  },
  {
    name: 'H9 a temperature beyond numbers',
    method: 'PATCH',
    path: '/api/v1/settings',
    headers: owner,
    body: '{"temperature":1e400}',
    status: 400,
    code: 'validation',
  },
  { name: 'H10 NUL', body: '{"question":"a\\u0000b"}', status: 400, code: 'validation' },
  { name: 'H10 half a surrogate pair', body: '{"question":"a\\ud800b"}', status: 400, code: 'validation' },
  {
    name: 'H10 NUL in a persona',
    method: 'POST',
    path: '/api/v1/personas',
    headers: owner,
    body: '{"id":"a","title":"a\\u0000","prompt":"b"}',
    status: 400,
    code: 'validation',
  },
  { name: 'H11 a message of 1 MB', body: ask('长'.repeat(350_000)), status: 413, code: 'payload_too_large' },
  { name: 'H12 zero-width only', body: '{"question":"\\u200b\\u200d\\ufeff\\u2800\\u3164"}', status: 400, code: 'validation' },
  {
    name: 'H13 10,000 messages',
    path: completions,
    body: JSON.stringify({ messages: Array(10_000).fill({ role: 'user', content: 'x' }) }),
    status: [400, 413],
  },
  {
    name: 'H13 2001 messages',
    path: completions,
    body: JSON.stringify({ messages: Array(2001).fill({ role: 'user', content: 'x' }) }),
    status: 400,
    code: 'validation',
  },
  ...['text/plain', 'application/xml', 'application/x-www-form-urlencoded', ''].map(
    (type): Bad => ({
      name: `H14 content-type "${type}"`,
      headers: { 'content-type': type },
      body: new Uint8Array(Buffer.from(ask('x'))),
      status: 415,
      code: 'unsupported_media_type',
    }),
  ),
  { name: 'H15 charset=utf-16', headers: { 'content-type': 'application/json; charset=utf-16' }, body: ask('x'), status: [400, 415] },
  { name: 'H15 an unknown charset', headers: { 'content-type': 'application/json; charset=x-evil' }, body: ask('x'), status: 415 },
  {
    name: 'H16 a gzip bomb',
    headers: { ...json, 'content-encoding': 'gzip' },
    body: new Uint8Array(gzipSync(Buffer.alloc(20_000_000, 32))),
    status: 413,
    code: 'payload_too_large',
  },
  { name: 'H16 gzip that is none', headers: { ...json, 'content-encoding': 'gzip' }, body: ask('x'), status: 400 },
  { name: 'H16 an unknown encoding', headers: { ...json, 'content-encoding': 'zstd-not' }, body: ask('x'), status: 415 },
  {
    name: 'H17 multipart where JSON is wanted',
    headers: { 'content-type': 'multipart/form-data; boundary=-' },
    body: '-'.repeat(5_000),
    status: 415,
  },
  ...ids.flatMap((id) =>
    [
      `/api/v1/answers/${id}`,
      `/api/v1/answers/${id}/events`,
      `/api/v1/conversations/${id}`,
      `/api/v1/conversations/${id}/messages`,
      `/api/v1/citations/${id}`,
      `/api/v1/citations/${id}/file`,
      `/api/v1/records/${id}`,
      `/api/v1/shared/${id}`,
      `/prompts/${id}`,
    ].map((path) => get(`H18 ${path.slice(0, 60)}`, path, [400, 404])),
  ),
  ...['-1', '0', '1e9', 'x', '', '1&limit=2', '1.5'].flatMap((value) =>
    ['/api/v1/conversations', '/api/v1/records', '/api/v1/usage', '/api/v1/gaps', '/api/v1/settings/versions', '/api/v1/saved-answers'].map(
      (path) => get(`H19 ${path}?limit=${value}`, `${path}?limit=${value}`, 400),
    ),
  ),
  get('H19 a cursor that is none', '/api/v1/records?cursor=AAAA', 400),
  get('H19 a cursor with SQL', `/api/v1/records?cursor=${Buffer.from(`2026-01-01 00:00:00+00|' OR 1=1`).toString('base64url')}`, 400),
  get('H20 an array in the query', '/api/v1/records?state[]=done', 400),
  get('H20 a field twice', '/api/v1/records?state=done&state=error', 400),
  get('H20 900 parameters', `/api/v1/records?${Array.from({ length: 900 }, (_, i) => `a${i}=1`).join('&')}`, 400),
  get('H26 TRACE is not there', '/api/v1/nothing', 404),
  ...['PUT', 'DELETE', 'PATCH'].map((method): Bad => ({ name: `H26 ${method} /api/v1/ask`, method, body: ask('x'), status: [404, 405] })),
  ...[
    '/metrics',
    '/.git/config',
    '/.env',
    '/debug',
    '//etc',
    '/api/../metrics',
    '/%2e%2e/%2e%2e/etc/passwd',
    '/docs/..%2f..%2fpackage.json',
    '/.%00',
  ].map((path) => get(`H27 ${path}`, path, [400, 404])),
  get('H35 no key', '/api/v1/records', 401, {}),
  ...[
    'Bearer wrong',
    'Basic YWRtaW46YWRtaW4=',
    'Bearer',
    'Bearer a b',
    `Bearer ${adminKey}x`,
    `Bearer ${adminKey.slice(1)}`,
    'Bearer eyJhbGciOiJub25lIn0.eyJzdWIiOiJhZG1pbiJ9.',
    `Bearer ${'x'.repeat(600)}`,
  ].map((authorization) => get(`H35 ${authorization.slice(0, 40)}`, '/api/v1/records', 401, { authorization })),
  get('H35 the key in the URL', `/api/v1/records?access_token=${adminKey}&key=${adminKey}`, 401, {}),
  ...['-1', 'x', '1e3', '99999999999', "1' OR '1"].map((id) =>
    get(`H37 Last-Event-ID ${id}`, `/api/v1/answers/${missing}/events`, 400, { 'last-event-id': id }),
  ),
  get('H37 after=-5', `/api/v1/answers/${missing}/events?after=-5`, 400, {}),
  ...['', ' ', 'a b', 'a'.repeat(256), 'ä'].map(
    (key): Bad => ({
      name: `H38 Idempotency-Key "${key.slice(0, 10)}"`,
      headers: { ...json, 'idempotency-key': key },
      body: ask('x'),
      status: 400,
      code: 'validation',
    }),
  ),
  ...[
    { temperature: 9 },
    { temperature: 'hot' },
    { max_tokens: -1 },
    { max_tokens: 1e9 },
    { max_completion_tokens: 0.5 },
    { n: 5 },
    { top_p: 2 },
    { model: 'x'.repeat(300) },
  ].map(
    (rest): Bad => ({
      name: `H39 ${JSON.stringify(rest).slice(0, 40)}`,
      path: completions,
      body: chat(rest),
      status: 400,
      code: 'validation',
    }),
  ),
  ...['baseUrl', 'base_url', 'api_base', 'provider', 'url'].map(
    (field): Bad => ({
      name: `H39 ${field} in the body`,
      body: `{"question":"x","${field}":"http://169.254.169.254/"}`,
      status: 400,
      code: 'validation',
    }),
  ),
  { name: 'H40 4,001 characters', body: ask('长'.repeat(4_001)), status: 400, code: 'validation' },
  {
    name: 'H40 the same over /v1',
    path: completions,
    body: JSON.stringify({ messages: [{ role: 'user', content: '长'.repeat(4_001) }] }),
    status: 400,
    code: 'validation',
  },
  {
    name: 'H40 the same over /chat',
    path: '/chat',
    body: JSON.stringify({ message: '长'.repeat(4_001) }),
    status: 400,
    code: 'validation',
  },
]
