import fc from 'fast-check'

type Schema = {
  $ref?: string
  type?: string | string[]
  enum?: unknown[]
  const?: unknown
  properties?: Record<string, Schema>
  additionalProperties?: boolean | Schema
  required?: string[]
  items?: Schema
  anyOf?: Schema[]
  oneOf?: Schema[]
  allOf?: Schema[]
}
type Parameter = { $ref?: string; name: string; in: string; schema?: Schema }
type Operation = { parameters?: Parameter[]; requestBody?: { content?: Record<string, { schema?: Schema }> } }
type Components = { schemas?: Record<string, Schema>; parameters?: Record<string, Parameter> }
export type OpenApi = { paths: Record<string, Record<string, Operation>>; components?: Components }

/** A request as anybody may send it; `body` as it goes over the wire. */
export type WildRequest = { method: string; path: string; headers: Record<string, string>; body?: string | Uint8Array<ArrayBuffer> }

const nasty = [
  '',
  ' ',
  '\u0000',
  '\ud800',
  '\u202e',
  '中'.repeat(5_000),
  '../../etc/passwd',
  '..%2f..%2f',
  "' OR 1=1 --",
  '__proto__',
  'constructor',
  '%00',
  '{{7*7}}',
  '$ne',
  '-1',
  '1e400',
  '9007199254740993',
  '2147483648',
  'NaN',
  'null',
  'true',
  '2026-02-30',
  '+275760-09-13T00:00:00.001Z',
  '00000000-0000-4000-8000-000000000000',
]
const wildText = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom(...nasty) },
  { weight: 2, arbitrary: fc.string({ unit: 'binary', maxLength: 40 }) },
  { weight: 1, arbitrary: fc.uuid() },
)
const wildNumber = fc.oneof(
  fc.constantFrom(0, -0, -1, 0.5, 1e9, 2 ** 31, 2 ** 53, -(2 ** 63), 1e308),
  fc.integer(),
  fc.double({ noNaN: true }),
)
const wildValue = fc.oneof(
  { weight: 4, arbitrary: wildText },
  { weight: 3, arbitrary: wildNumber },
  { weight: 2, arbitrary: fc.constantFrom(null, true, false, [], {}) },
  { weight: 2, arbitrary: fc.jsonValue({ maxDepth: 3 }) },
)

/**
 * Sends `total` wild requests, `atOnce` of them at a time; the same `seed` makes the same ones. There is no smaller example of a failure:
 * what was sent before it is part of it.
 */
export async function sendWild(
  requests: fc.Arbitrary<WildRequest>,
  { total, atOnce, seed }: { total: number; atOnce: number; seed: number },
  send: (request: WildRequest) => Promise<void>,
): Promise<void> {
  const batches = fc.array(requests, { minLength: atOnce, maxLength: atOnce })
  const property = fc.asyncProperty(batches, async (batch) => void (await Promise.all(batch.map(send))))
  await fc.assert(property, { numRuns: Math.ceil(total / atOnce), endOnFailure: true, seed })
}

/** Each operation of an OpenAPI document with right, nearly right and wrong values. `ids` yields ids that exist, as far as any are known. */
export function wildRequests(api: OpenApi, ids: () => readonly string[]): fc.Arbitrary<WildRequest> {
  const known = fc.nat().map((n) => ids()[n % Math.max(1, ids().length)] ?? nasty.at(-1)!)
  const operations = Object.entries(api.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ method: method.toUpperCase(), path, operation })),
  )
  return fc.constantFrom(...operations).chain(({ method, path, operation }) =>
    fc
      .record({
        path: pathOf(path, fc.oneof({ weight: 4, arbitrary: known }, { weight: 1, arbitrary: wildText })),
        query: queryOf(
          (operation.parameters ?? []).map((one) => resolved(one, api.components?.parameters)),
          api,
        ),
        body: method === 'GET' ? fc.constant(undefined) : bodyOf(operation, api, known),
        headers: wildHeaders,
      })
      .map(({ path, query, body, headers }) => ({
        method,
        path: query ? `${path}?${query}` : path,
        headers: { ...body?.headers, ...headers },
        ...(body ? { body: body.bytes } : {}),
      })),
  )
}

function resolved<T extends { $ref?: string }>(one: T, among: Record<string, T> | undefined): T {
  const name = one.$ref?.split('/').at(-1)
  return name ? (among?.[name] ?? one) : one
}

function pathOf(template: string, value: fc.Arbitrary<string>): fc.Arbitrary<string> {
  const parts = template.split(/\{\w+\}/)
  return fc
    .array(value, { minLength: parts.length - 1, maxLength: parts.length - 1 })
    .map((values) => parts.map((part, at) => part + (at < values.length ? inUrl(values[at]!) : '')).join(''))
}

function queryOf(parameters: Parameter[], api: OpenApi): fc.Arbitrary<string> {
  const pairs = parameters
    .filter((one) => one.in === 'query')
    .map(({ name, schema }) =>
      fc.option(
        fc
          .oneof({ weight: 2, arbitrary: valueFor(schema ?? {}, api, wildText, 1) }, { weight: 1, arbitrary: wildText })
          .map((value) => `${name}=${inUrl(typeof value === 'string' ? value : (JSON.stringify(value) ?? ''))}`),
        { nil: '' },
      ),
    )
  const junk = fc.constantFrom('', '', '', 'a[]=1', 'limit=-1&limit=2', '__proto__[x]=1', '%ff', 'q=%00')
  return fc.tuple(...pairs, junk).map((all) => all.filter(Boolean).join('&'))
}

function bodyOf(operation: Operation, api: OpenApi, known: fc.Arbitrary<string>) {
  const content = operation.requestBody?.content ?? {}
  const schema = content['application/json']?.schema
  const right = schema ? valueFor(schema, api, known, 0) : fc.jsonValue({ maxDepth: 2 })
  const json = { 'content-type': 'application/json' }
  const asJson = (value: unknown) => ({ headers: json, bytes: JSON.stringify(value) ?? 'null' })
  const raw = fc.oneof(
    fc.constantFrom('', '{', '[]', 'null', '{"a":1}}', '{"__proto__":{"a":1}}', `${'['.repeat(2_000)}`, '{"question":1e400}'),
    fc.uint8Array({ maxLength: 60 }).map((bytes) => new Uint8Array(bytes)),
  )
  return fc.oneof(
    { weight: 6, arbitrary: right.map(asJson) },
    { weight: 2, arbitrary: fc.tuple(right, wildText, wildValue).map(([value, key, other]) => asJson(withKey(value, key, other))) },
    { weight: 1, arbitrary: raw.map((bytes) => ({ headers: json, bytes })) },
    { weight: 2, arbitrary: fc.tuple(wildText, wildText).map(([name, text]) => multipart(name, text)) },
    { weight: 1, arbitrary: fc.constant(undefined) },
  )
}

/** A value of the schema, in which each part may be another one instead. `text`: what a string may be that nothing else is known of. */
function valueFor(schema: Schema, api: OpenApi, text: fc.Arbitrary<string>, depth: number): fc.Arbitrary<unknown> {
  if (depth > 4) return wildValue
  const one = resolved(schema, api.components?.schemas)
  const below = (part: Schema) => valueFor(part, api, text, depth + 1)
  const right = rightValue(one, below, text)
  return fc.oneof({ weight: 5, arbitrary: right }, { weight: 1, arbitrary: wildValue })
}

function rightValue(schema: Schema, below: (part: Schema) => fc.Arbitrary<unknown>, text: fc.Arbitrary<string>): fc.Arbitrary<unknown> {
  if (schema.const !== undefined) return fc.constant(schema.const)
  if (schema.enum) return fc.constantFrom(...schema.enum)
  const branches = schema.anyOf ?? schema.oneOf
  if (branches) return fc.oneof(...branches.map(below))
  if (schema.allOf) return fc.tuple(...schema.allOf.map(below)).map((parts) => Object.assign({}, ...parts))
  const types = new Set([schema.type].flat())
  if (schema.properties) {
    const parts = Object.entries(schema.properties).map(([name, part]) => [name, below(part)] as const)
    return fc.record(Object.fromEntries(parts), { requiredKeys: schema.required ?? [] })
  }
  if (types.has('object')) return fc.dictionary(wildText, wildValue, { maxKeys: 3 })
  if (types.has('array')) return fc.array(below(schema.items ?? {}), { maxLength: 4 })
  if (types.has('integer')) return fc.oneof(fc.integer({ min: 0, max: 50 }), wildNumber)
  if (types.has('number')) return fc.oneof(fc.double({ min: 0, max: 1, noNaN: true }), wildNumber)
  if (types.has('boolean')) return fc.boolean()
  if (types.has('string')) return fc.oneof(text, fc.constantFrom('How long is the warranty?', '保修期是多久？', 'a', 'README.md'), wildText)
  return wildValue
}

function withKey(value: unknown, key: string, other: unknown): unknown {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value, [key]: other } : other
}

function multipart(name: string, text: string) {
  const clean = name.replace(/[\r\n"\u0000]/g, '_')
  const bytes = `--b\r\ncontent-disposition: form-data; name="file"; filename="${clean}"\r\n\r\n${text}\r\n--b--\r\n`
  return { headers: { 'content-type': 'multipart/form-data; boundary=b' }, bytes }
}

const wildHeaders: fc.Arbitrary<Record<string, string>> = fc.oneof(
  { weight: 6, arbitrary: fc.constant({}) },
  {
    weight: 1,
    arbitrary: fc
      .tuple(
        fc.constantFrom('idempotency-key', 'last-event-id', 'range', 'accept-language', 'origin', 'if-none-match', 'x-request-id'),
        fc.oneof(fc.constantFrom('bytes=5-1', 'bytes=-0', '99-99', '*', 'zh-CN', '0-0'), fc.string({ maxLength: 30 })),
      )
      .map(([name, value]) => ({ [name]: value.replace(/[^\x21-\x7e]/g, '_') })),
  },
)

/** As it may stand in a URL; a half of a surrogate pair cannot. */
function inUrl(value: string): string {
  return encodeURIComponent(value.toWellFormed()).replaceAll('%25', '%')
}
