import { decodePrincipal } from '@docent/core/principal'
import { beforeEach, describe, expect, test } from 'vitest'
import { adminKey, post } from './harness.ts'
import { withModel } from './with-model.ts'

const owner = { authorization: `Bearer ${adminKey}` }

describe('personas with settings and collections of their own', () => {
  const { place, model, gateway } = withModel({ says: { pieces: ['24 个月 [1]。'] } })
  beforeEach(() => {
    model.requests.length = 0
    place.neighbours.seen.length = 0
  })

  const send = (path: string, body: unknown, headers: Record<string, string> = owner) =>
    post(`${gateway.url}${path}`, body, { accept: 'application/json', ...headers })
  const get = (path: string) => fetch(`${gateway.url}${path}`, { headers: owner })
  const readable = () => {
    const header = place.neighbours.seen.findLast(({ url }) => url === '/search')!.headers['x-docent-principal']
    return decodePrincipal(String(header)).collections
  }
  const keyFor = async (collections: string[]) => {
    const made = await send('/api/v1/keys', { name: collections.join(), scopes: ['chat'], collections })
    return { authorization: `Bearer ${((await made.json()) as { key: string }).key}` }
  }
  const narrow = {
    id: 'narrow',
    title: 'Narrow',
    prompt: 'You know the manuals.',
    settings: { temperature: 0.1, maxTokens: 99, topK: 1 },
    collections: ['manuals', 'faq'],
  }

  test('its settings win over those of all, its collections bound what is searched; the record and a preview say so', async () => {
    const made = await send('/api/v1/personas', narrow)
    expect(made.status).toBe(201)
    // the fake ingest has no collection at all
    expect(await made.json()).toMatchObject({ id: 'narrow', warnings: [{ code: 'unknown_collection' }] })
    const asked = (await (await send('/api/v1/ask', { question: '保修期？', persona: 'narrow' })).json()) as { id: string }
    expect(model.requests.at(-1)).toMatchObject({ temperature: 0.1, max_tokens: 99 })
    expect(readable()).toEqual(['manuals', 'faq'])
    const { record } = (await (await get(`/api/v1/records/${asked.id}`)).json()) as { record: object }
    expect(record).toMatchObject({ personaVersion: 1, settings: { topK: 1, maxTokens: 99 }, collections: ['manuals', 'faq'] })

    await send('/api/v1/ask', { question: '保修期？' })
    expect(model.requests.at(-1)).toMatchObject({ temperature: 0.7, max_tokens: 1_024 })
    expect(readable()).toBeUndefined()

    const said = await send('/api/v1/personas/narrow/preview', { question: '保修期？', settings: { maxTokens: 77 } })
    expect(await said.json()).toMatchObject({ settings: { temperature: 0.1, maxTokens: 77, topK: 1 } })
    expect(model.requests.at(-1)).toMatchObject({ temperature: 0.1, max_tokens: 77 })
    expect(readable()).toEqual(['manuals', 'faq'])
    await send(`/api/v1/records/${asked.id}/replay`, { persona: 'neutral' })
    expect(model.requests.at(-1)).toMatchObject({ temperature: 0.7 })
  })

  test('a key reads what both it and the persona may; where that is nothing it is refused', async () => {
    const faq = await keyFor(['faq', 'prices'])
    const prices = await keyFor(['prices'])
    expect((await send('/api/v1/ask', { question: '保修期？', persona: 'narrow' }, faq)).status).toBe(200)
    expect(readable()).toEqual(['faq'])
    const refused = await send('/api/v1/ask', { question: '保修期？', persona: 'narrow' }, prices)
    expect(refused.status).toBe(403)
    expect(await refused.json()).toMatchObject({ code: 'forbidden' })
  })

  test('a change that changes nothing is no version, and a bad setting is named where it stands', async () => {
    const version = async (answer: Response) => ((await answer.json()) as { version: number }).version
    const patch = (body: object) =>
      fetch(`${gateway.url}/api/v1/personas/still`, {
        method: 'PATCH',
        headers: { ...owner, 'content-type': 'application/json' },
        body: JSON.stringify(body),
      })
    await send('/api/v1/personas', { id: 'still', title: 'Still', prompt: 'You are calm.', settings: { topK: 2 } })
    expect(await version(await patch({ title: 'Still', settings: { topK: 2 } }))).toBe(1)
    expect(await version(await patch({ title: 'Stiller' }))).toBe(2)
    const refused = (await (await patch({ settings: { model: 'nobody' } })).json()) as { errors: { path: string }[] }
    expect(refused.errors.map(({ path }) => path)).toEqual(['body.settings.model'])
    const bad = await send('/api/v1/personas/import', { files: ['---\nid: still\n---\n'] })
    expect(((await bad.json()) as { detail: string }).detail).toContain('body.files[0].title (is missing: send a text in quotes)')
  })

  test('where its collections hold nothing it says so, or what it says where nothing is found; not that there are no documents', async () => {
    const before = place.neighbours.passages
    place.neighbours.passages = []
    place.neighbours.answerable = false
    await send('/api/v1/personas', { id: 'empty', title: 'Empty', prompt: 'You are.', collections: ['later'] })
    await send('/api/v1/personas', { id: 'desk', title: 'Desk', prompt: 'You are.', collections: ['later'], refusal: 'Ask at the desk.' })
    const say = async (persona: string) =>
      ((await (await send('/api/v1/ask', { question: 'How long is the warranty?', persona })).json()) as { text: string }).text
    expect(await say('empty')).toBe('The collections that are searched here hold no document yet.')
    expect(await say('desk')).toBe('Ask at the desk.')
    place.neighbours.passages = before
    place.neighbours.answerable = true
  })

  test('exported and imported it is the same; what is so already gets no new version', async () => {
    for (const format of ['md', 'json']) {
      const file = await get(`/api/v1/personas/narrow/export?format=${format}`)
      expect(file.headers.get('content-disposition')).toContain(`narrow.${format}`)
      const text = await file.text()
      const same = await send('/api/v1/personas/import', { files: [text] })
      // the fake ingest has no collection at all
      const warnings = [{ code: 'unknown_collection', message: 'No document is in "manuals", "faq" now. There are: none.' }]
      expect(await same.json()).toEqual({ items: [{ id: 'narrow', version: 1, outcome: 'unchanged', warnings }] })
      const other = await send('/api/v1/personas/import', { files: [text.replace('narrow', `copied-${format}`)] })
      expect(await other.json()).toMatchObject({ items: [{ id: `copied-${format}`, outcome: 'created' }] })
      const { version: _version, ...copied } = (await (await get(`/api/v1/personas/copied-${format}`)).json()) as { version: number }
      expect(copied).toEqual({ ...narrow, id: `copied-${format}`, tone: null, greeting: null, refusal: null, answersWithoutSources: false })
    }
    const changed = '---\r\nid: narrow\r\ntitle: Wide\r\n---\r\nYou know all.\r\n\r\n---\r\nReally.\r\n'
    expect(await (await send('/api/v1/personas/import', { files: [changed] })).json()).toMatchObject({
      items: [{ id: 'narrow', version: 2, outcome: 'changed' }],
    })
    expect(await (await get('/api/v1/personas/narrow')).json()).toMatchObject({
      prompt: 'You know all.\r\n\r\n---\r\nReally.',
      settings: {},
      collections: null,
    })
  })

  test('one bad file refuses all of them, with its place and what to mend', async () => {
    const good = '---\nid: fine\ntitle: Fine\n---\nFine.\n'
    for (const [bad, path] of [
      ['no front matter', 'body.files[1]'],
      ['{"id":', 'body.files[1]'],
      ['---\nid: [\n---\nx', 'body.files[1]'],
      ['---\nid: x\ntitle: X\n---\n', 'body.files[1].prompt'],
      ['---\nid: x\ntitle: X\nsettings: {topK: 99}\n---\nx', 'body.files[1].settings.topK'],
      ['---\nid: x\ntitle: X\nsettings: {persona: neutral}\n---\nx', 'body.files[1].settings'],
      ['---\nid: x\ntitle: X\nsettings: {model: nobody}\n---\nx', 'body.files[1].settings.model'],
      ['---\nid: x\ntitle: &a X\nmore: *a\n---\nx', 'body.files[1]'],
    ] as const) {
      const refused = await send('/api/v1/personas/import', { files: [good, bad] })
      expect({ bad, status: refused.status }).toEqual({ bad, status: 400 })
      const { code, errors } = (await refused.json()) as { code: string; errors: { path: string }[] }
      expect({ code, path: errors[0]!.path }).toEqual({ code: 'validation', path })
    }
    expect((await send('/api/v1/personas/import', { files: [good, good] })).status).toBe(400)
    expect((await get('/api/v1/personas/fine')).status).toBe(404)
  })
})
