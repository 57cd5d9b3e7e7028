import { createHash } from 'node:crypto'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Answer } from '@docent/core/answer-event'
import type { DocumentView } from '@docent/core/document'
import { expect, inject } from 'vitest'
import { openMockUpstream } from '../src/mock-upstream.ts'
import { type Stack, startStack } from '../src/start-stack.ts'
import { until } from '../src/until.ts'
import { openWordsModel } from '../src/words-model.ts'

/** Who asks, which canaries he may be shown, and what is his alone. */
export type Tenant = {
  name: string
  headers: Record<string, string>
  /** a group of readers stands for him in the folder; others find their documents by collections only */
  isPerson: boolean
  may: ReadonlySet<string>
  memory?: string
  attached: { canary: string; conversation: string }
  /** of a person, what leads to documents that his group alone reads */
  led?: { conversation: string; answer: string; citations: string[]; share: string; document: string; approved: string }
}
export type Tenants = { stack: Stack; all: Tenant[]; admin: Record<string, string>; call: Call }
export type Call = (
  headers: Record<string, string>,
  method: string,
  path: string,
  body?: object,
) => Promise<{ status: number; text: string }>

export const canaryOf = (...of: (string | number)[]) => `QX${createHash('sha256').update(of.join()).digest('hex').slice(0, 12)}`
export const canariesIn = (text: string) => new Set(text.match(/QX[0-9a-f]{12}/g))
const PLACES = ['station', 'archive', 'harbour', 'granary'] as const
export const questions = PLACES.flatMap((place) => [
  `What is the vault code of the ${place}?`,
  `Which code opens the vault of the ${place}?`,
])
const secret = 'a-secret-between-proxy-and-gateway-0123456789'

/** One document of the same words for everybody, but for the code in it. */
const paper = (...of: (string | number)[]) =>
  `# Vault codes\n\n${PLACES.map((place) => `The vault code of the ${place} is ${canaryOf(...of)}.`).join('\n\n')}\n`

/**
 * So many keys, each bound to a collection, so many people, each of a group with documents of its own, and as many anonymous clients, at
 * the whole stack; every other one is remembered, and each has a file attached to a conversation. The model says what it was told: all
 * that reaches a prompt stands in its answer.
 */
export async function openTenants(scope: AsyncDisposableStack, count: number): Promise<Tenants> {
  const model = scope.use(await openMockUpstream())
  model.reply = ({ messages }) => {
    const fact = /my locker is (QX\w+)/.exec(messages.at(-1)!.content)
    if (messages[0]!.content.startsWith('List what the reader says'))
      return { pieces: [JSON.stringify(fact ? [{ fact: `The reader's locker is ${fact[1]}.`, quote: fact[0] }] : [])] }
    return { pieces: [messages.map(({ content }) => content).join('\n')] }
  }
  const stack = await startStack(inject('stores'), scope, {
    env: {
      LLM_BASE_URL: model.url,
      LLM_MODEL: 'mock-tenants',
      EMBEDDINGS_PROVIDER: 'openai',
      EMBEDDINGS_BASE_URL: await openWordsModel(scope),
      EMBEDDINGS_MODEL: 'words-only',
      EMBEDDINGS_DIMENSIONS: '48',
      SIGN_IN_USER_HEADER: 'X-Forwarded-User',
      SIGN_IN_GROUPS_HEADER: 'X-Forwarded-Groups',
      SIGN_IN_PROXY_SECRET: secret,
      PUBLIC_READS: 'true',
      MEMORY_ENABLED: 'true',
      ATTACHMENT_DAYS: '1',
      DAILY_TOKEN_BUDGET: '0',
      RATE_LIMIT_PER_MINUTE: '100000',
    },
  })
  const admin = { authorization: `Bearer ${stack.adminKey}` }
  const call: Call = async (headers, method, path, body) => {
    const response = await fetch(stack.url + path, {
      method,
      headers: { accept: 'application/json', ...headers, ...(body ? { 'content-type': 'application/json' } : {}) },
      ...(body ? { body: JSON.stringify(body) } : {}),
    })
    return { status: response.status, text: await response.text() }
  }
  const json = async <T>(...of: Parameters<Call>): Promise<T> => {
    const { status, text } = await call(...of)
    expect(status, `${of[1]} ${of[2]} ${text.slice(0, 300)}`).toBeLessThan(300)
    return (text ? JSON.parse(text) : undefined) as T
  }

  const numbers = Array.from({ length: count }, (_, i) => i)
  const place = (folder: string, settings: string, text: string) => {
    mkdirSync(join(stack.folder, folder))
    writeFileSync(join(stack.folder, folder, '_docent.yml'), settings)
    writeFileSync(join(stack.folder, folder, 'codes.md'), text)
  }
  for (const i of numbers) {
    place(`shelf${i}`, `collection: shelf${i}`, paper('collection', i))
    place(`group${i}`, `readers: [group${i}]`, paper('readers', i))
  }
  const documents = await until('all are indexed', async () => {
    const { items } = await json<{ items: DocumentView[] }>(admin, 'GET', '/api/v1/documents?limit=200')
    return items.filter(({ state }) => state === 'ready').length === 2 * count ? items : undefined
  })

  const shelves = numbers.map((i) => canaryOf('collection', i))
  async function settle(name: string, headers: Record<string, string>, isPerson: boolean, may: string[], isRemembered: boolean) {
    const [kept, attached] = [canaryOf('memory', name), canaryOf('attached', name)]
    const { id } = await json<{ id: string }>(headers, 'POST', '/api/v1/conversations', { title: 'mine' })
    const form = new FormData()
    form.append('file', new Blob([`The vault code of the station is ${attached}. So says the letter.`]), 'letter.txt')
    const sent = await fetch(`${stack.url}/api/v1/conversations/${id}/attachments`, { method: 'POST', headers, body: form })
    expect(sent.status).toBe(201)
    if (isRemembered) {
      await json(headers, 'PUT', '/api/v1/memory', { enabled: true })
      await json(headers, 'POST', '/api/v1/ask', { question: `my locker is ${kept}, which code opens the vault of the station?` })
      await until('it is remembered', async () => (await call(headers, 'GET', '/api/v1/memory')).text.includes(kept) || undefined)
    }
    const own = new Set([...may, attached, ...(isRemembered ? [kept] : [])])
    const memory = isRemembered ? { memory: kept } : {}
    return { name, headers, isPerson, may: own, attached: { canary: attached, conversation: id }, ...memory }
  }

  /** A conversation about what his group alone reads, shared by a link, and an answer of it that the owner approved. */
  async function lead(i: number, headers: Record<string, string>): Promise<NonNullable<Tenant['led']>> {
    const approved = `What is the vault code of the station of group ${i}?`
    const asked = { question: approved, filters: { pathPrefix: `group${i}/` } }
    const answer = await json<Answer>(headers, 'POST', '/api/v1/ask', asked)
    expect(canariesIn(answer.text), answer.text).toContain(canaryOf('readers', i))
    await until('its record is kept', async () => (await call(admin, 'GET', `/api/v1/records/${answer.id}`)).status === 200 || undefined)
    await json(admin, 'POST', '/api/v1/saved-answers', { answerId: answer.id })
    expect(await json(headers, 'POST', '/api/v1/ask', { question: approved })).toMatchObject({ model: 'approved' })
    const { url } = await json<{ url: string }>(headers, 'POST', `/api/v1/conversations/${answer.conversationId}/shares`, {})
    const document = documents.find(({ path }) => path === `group${i}/codes.md`)!.id
    const citations = answer.sources.map(({ citationId }) => citationId)
    return { conversation: answer.conversationId, answer: answer.id, citations, share: url, document, approved }
  }

  const all: Tenant[] = []
  for (const i of numbers) {
    const made = { name: `key ${i}`, scopes: ['chat', 'read'], collections: [`shelf${i}`] }
    const { key } = await json<{ key: string }>(admin, 'POST', '/api/v1/keys', made)
    all.push(await settle(`key${i}`, { authorization: `Bearer ${key}` }, false, [shelves[i]!], i % 2 === 0))
    const proxy = { 'x-forwarded-user': `user${i}`, 'x-forwarded-groups': `group${i}`, 'x-docent-proxy-secret': secret }
    const led = await lead(i, proxy)
    all.push({ ...(await settle(`person${i}`, proxy, true, [...shelves, canaryOf('readers', i)], i % 2 === 1)), led })
    all.push(await settle(`guest${i}`, { 'x-client-id': `guest-number-${i}` }, false, shelves, i % 2 === 0))
  }
  return { stack, all, admin, call }
}
