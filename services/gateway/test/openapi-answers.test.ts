import { describe, expect, test } from 'vitest'
import { openApiDocument } from '../src/routes/openapi.ts'
import { adminKey, passage, warrantyText } from './harness.ts'
import { withModel } from './with-model.ts'

type Schema = {
  $ref?: string
  type?: string | string[]
  enum?: unknown[]
  const?: unknown
  anyOf?: Schema[]
  oneOf?: Schema[]
  allOf?: Schema[]
  properties?: Record<string, Schema>
  required?: string[]
  additionalProperties?: boolean | Schema
  items?: Schema
}
type Told = { id: string; conversationId: string; sources: { citationId: string }[] }
type Responses = Record<string, { content?: Record<string, { schema?: Schema }> }>
const document = openApiDocument() as { paths: Record<string, Record<string, { responses: Responses }>>; components: object }

function resolved(schema: Schema): Schema {
  if (!schema.$ref) return schema
  const found = schema.$ref
    .slice(2)
    .split('/')
    .reduce<unknown>((at, name) => (at as Record<string, unknown>)[name], document)
  return resolved(found as Schema)
}

const typeOf = (value: unknown) => (value === null ? 'null' : Array.isArray(value) ? 'array' : typeof value)

/** What a client that was generated from the description would not know of, or miss. */
function differences(value: unknown, given: Schema, at: string): string[] {
  const schema = resolved(given)
  if (Object.keys(schema).length === 0) return []
  const choices = schema.anyOf ?? schema.oneOf
  if (choices) return choices.map((one) => differences(value, one, at)).toSorted((a, b) => a.length - b.length)[0]!
  if (schema.allOf) return schema.allOf.flatMap((one) => differences(value, one, at))
  const type = typeOf(value)
  const types = [schema.type ?? []].flat().map((name) => (name === 'integer' ? 'number' : name))
  if (types.length > 0 && !types.includes(type)) return [`${at} is ${type}, described as ${types.join()}`]
  if (schema.enum && !schema.enum.includes(value)) return [`${at} is ${JSON.stringify(value)}`]
  if (schema.const !== undefined && schema.const !== value) return [`${at} is not ${JSON.stringify(schema.const)}`]
  if (Array.isArray(value)) return value.flatMap((item) => (schema.items ? differences(item, schema.items, `${at}[]`) : []))
  if (type !== 'object') return []
  const properties = schema.properties ?? {}
  const more = schema.additionalProperties
  const missing = (schema.required ?? []).filter((name) => !(name in (value as object))).map((name) => `${at}.${name} is missing`)
  const within = Object.entries(value as object).flatMap(([name, part]) => {
    const own = properties[name] ?? (typeof more === 'object' ? more : undefined)
    if (own) return differences(part, own, `${at}.${name}`)
    return more ? [] : [`${at}.${name} is not described`]
  })
  return [...missing, ...within]
}

describe('answers are as they are described', () => {
  const { place, gateway } = withModel({
    env: { MEMORY_ENABLED: 'true', ATTACHMENT_DAYS: '1', LLM_PRICE_INPUT: '1', LLM_PRICE_OUTPUT: '2' },
  })
  const headers = { 'x-client-id': 'describer' }
  const owner = { authorization: `Bearer ${adminKey}` }

  test('with each field, at the status that is listed', async () => {
    place.neighbours.passages = [passage(warrantyText)]
    const found: string[] = []
    const looked = new Set<string>()
    async function look(method: string, template: string, ids: string[] = [], body?: unknown): Promise<Told> {
      const path = ids.reduce((left, id) => left.replace(/\{\w+\}/, id), template)
      const isMine = /conversations|feedback|memory|ask$|answers\//.test(path)
      const isForm = body instanceof FormData
      const response = await fetch(gateway.url + path, {
        method,
        headers: { ...(isMine ? headers : owner), accept: 'application/json', ...(isForm ? {} : { 'content-type': 'application/json' }) },
        ...(body === undefined ? {} : { body: isForm ? body : JSON.stringify(body) }),
      })
      const operation = `${method} ${template.split('?')[0]}`
      looked.add(operation)
      const schema =
        document.paths[template.split('?')[0]!]?.[method.toLowerCase()]?.responses[response.status]?.content?.['application/json']?.schema
      const value = (response.status === 204 ? {} : await response.json()) as Told
      if (!schema) found.push(`${operation} has no schema for ${response.status} ${JSON.stringify(value).slice(0, 200)}`)
      else found.push(...differences(value, schema, operation))
      return value
    }

    const first = await look('POST', '/api/v1/ask', [], { question: '保修期是多久？' })
    const [answer, conversation] = [first.id, first.conversationId]
    await look('GET', '/api/v1/answers/{answerId}', [answer])
    await look('GET', '/api/v1/conversations?q=保修')
    await look('POST', '/api/v1/conversations', [], { title: 'The contract' })
    await look('GET', '/api/v1/conversations/{id}', [conversation])
    await look('PATCH', '/api/v1/conversations/{id}', [conversation], { title: 'Warranty' })
    await look('GET', '/api/v1/conversations/{id}/messages?limit=1', [conversation])
    await look('GET', '/api/v1/conversations/{id}/export?format=json', [conversation])
    await look('POST', '/api/v1/conversations/{id}/branch', [conversation], { messageId: answer })
    await look('GET', '/api/v1/conversations/{id}/branches', [conversation])
    const share = await look('POST', '/api/v1/conversations/{id}/shares', [conversation])
    await look('GET', '/api/v1/conversations/{id}/shares', [conversation])
    await look('GET', '/api/v1/shared/{shareId}', [share.id])
    const file = new FormData()
    file.append('file', new Blob(['保修卡']), 'card.txt')
    await look('POST', '/api/v1/conversations/{id}/attachments', [conversation], file)
    await look('GET', '/api/v1/conversations/{id}/attachments', [conversation])
    await look('POST', '/api/v1/feedback', [], { answerId: answer, rating: -1 })
    await look('PUT', '/api/v1/memory', [], { enabled: true })
    await look('GET', '/api/v1/memory')
    await look('GET', '/api/v1/records?limit=1')
    await look('GET', '/api/v1/records/{answerId}', [answer])
    await look('POST', '/api/v1/records/{answerId}/replay', [answer], { settings: { topK: 1 } })
    await look('POST', '/api/v1/records/{answerId}/golden', [answer], { doc: null })
    await look('GET', '/api/v1/golden')
    await look('GET', '/api/v1/gaps')
    await look('POST', '/api/v1/saved-answers', [], { answerId: answer })
    await look('GET', '/api/v1/saved-answers')
    await look('PATCH', '/api/v1/settings', [], { topK: 4 })
    await look('PATCH', '/api/v1/settings?dryRun=true', [], { topK: 5 })
    await look('GET', '/api/v1/settings')
    await look('GET', '/api/v1/settings/versions')
    await look('GET', '/api/v1/settings/versions/{version}', ['1'])
    await look('GET', '/api/v1/settings/diff?from=1&to=2')
    const key = await look('POST', '/api/v1/keys', [], { name: 'k', scopes: ['chat'], collections: ['typo'], limits: { openAnswers: 2 } })
    await look('POST', '/api/v1/keys/{id}/rotate', [key.id], { graceS: 5 })
    await look('GET', '/api/v1/keys')
    await look('GET', '/api/v1/usage')
    await look('GET', '/api/v1/me')
    await look('POST', '/api/v1/personas', [], {
      id: 'p',
      title: 'P',
      prompt: 'You are.',
      collections: ['typo'],
      greeting: { zh: '你好', en: 'Hi' },
    })
    await look('PATCH', '/api/v1/personas/{id}', ['p'], { tone: 'warm' })
    await look('GET', '/api/v1/personas/{id}', ['p'])
    await look('GET', '/api/v1/personas/{id}/versions', ['p'])
    await look('GET', '/api/v1/personas/{id}/export?format=json', ['p'])
    await look('POST', '/api/v1/personas/{id}/preview', ['p'], { question: '保修期是多久？' })
    await look('POST', '/api/v1/personas/import', [], { files: ['---\nid: q\ntitle: Q\ncollections: [typo]\n---\nYou are.'] })
    await look('GET', '/api/v1/personas')
    const prompt = await look('POST', '/api/v1/prompts', [], { name: 'n', content: 'c' })
    await look('PATCH', '/api/v1/prompts/{id}', [prompt.id], { name: 'm' })
    await look('GET', '/api/v1/prompts/{id}', [prompt.id])
    await look('GET', '/api/v1/prompts')
    await look('GET', '/api/v1/citations/{citationId}', [first.sources[0]!.citationId])
    await look('GET', '/api/v1/providers')
    await look('GET', '/api/v1/system/info')
    await look('GET', '/api/v1/stats')
    await look('GET', '/api/health')
    await look('POST', '/chat', [], { message: '保修期是多久？' })
    await look('POST', '/api/v1/answers/{answerId}/stop', [answer])
    expect(found).toEqual([])
    expect(looked.size).toBeGreaterThan(50)
  })

  test('no answer of the gateway itself is described as an object with whatever in it', () => {
    const vague = Object.entries(document.paths).flatMap(([path, methods]) =>
      Object.entries(methods).flatMap(([method, { responses }]) =>
        Object.entries(responses).flatMap(([status, { content }]) => {
          const schema = content?.['application/json']?.schema
          const isVague = schema && !schema.$ref && schema.type === 'object' && Object.keys(schema.properties ?? {}).length === 0
          return isVague ? [`${method} ${path} ${status}`] : []
        }),
      ),
    )
    // the first are ingest's, the last stand in OpenAI's own description
    expect(vague.filter((one) => !/documents|ingest|generations|shadow|\/v1\/(models|chat)/.test(one))).toEqual([])
  })
})
