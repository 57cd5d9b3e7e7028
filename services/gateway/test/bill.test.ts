import { describe, expect, test } from 'vitest'
import { until } from '../../lib/testkit/src/until.ts'
import { adminKey, passage, post, warrantyText } from './harness.ts'
import { withModel } from './with-model.ts'

const owner = { authorization: `Bearer ${adminKey}` }
type Usage = { items: { day: string; principal: string; name?: string; requests: number; cost: number }[]; next?: string }

describe('who used what', () => {
  const { place, gateway } = withModel({ env: { LLM_PRICE_INPUT: '1', LLM_PRICE_OUTPUT: '2' } })
  let asked = 0
  const get = async <T>(path: string) => (await (await fetch(gateway.url + path, { headers: owner })).json()) as T
  async function ask(headers: Record<string, string>): Promise<string> {
    place.neighbours.passages = [passage(warrantyText)]
    const response = await post(`${gateway.url}/api/v1/ask`, { question: `保修期是多久？第 ${++asked} 问` }, headers)
    return ((await response.json()) as { id: string }).id
  }
  async function makeKey(name: string) {
    const made = (await (await post(`${gateway.url}/api/v1/keys`, { name, scopes: ['chat'] }, owner)).json()) as { id: string; key: string }
    return { principal: `key:${made.id}`, authorization: `Bearer ${made.key}` }
  }

  test('a bill names each key, also behind more readers than a page holds, and its questions are found', async () => {
    const key = await makeKey('leaked one')
    for (const client of ['a', 'b', 'c']) await ask({ 'x-client-id': client })
    const ids = [await ask({ authorization: key.authorization }), await ask({ authorization: key.authorization })]
    const whole = await until('all is booked', async () => {
      const usage = await get<Usage>('/api/v1/usage?limit=1000')
      return usage.items.find(({ principal }) => principal === key.principal)?.requests === 2 ? usage : undefined
    })
    expect(whole.next).toBeUndefined()
    expect(whole.items.find(({ principal }) => principal === key.principal)).toMatchObject({ name: 'leaked one', requests: 2 })

    const paged: Usage['items'] = []
    for (let next: string | undefined = ''; next !== undefined; ) {
      const page: Usage = await get<Usage>(`/api/v1/usage?limit=1${next && `&cursor=${next}`}`)
      expect(page.items).toHaveLength(1)
      paged.push(...page.items)
      next = page.next
    }
    expect(paged).toEqual(whole.items)

    const keys = await get<Usage>('/api/v1/usage?principal=key:')
    expect(keys.items.map(({ principal }) => principal)).toEqual([key.principal])
    const { day } = keys.items[0]!
    expect((await get<Usage>(`/api/v1/usage?principal=${key.principal}&from=${day}&to=${day}`)).items).toHaveLength(1)
    expect((await get<Usage>(`/api/v1/usage?principal=${key.principal}&to=2020-01-01`)).items).toEqual([])
    expect((await fetch(`${gateway.url}/api/v1/usage?cursor=x`, { headers: owner })).status).toBe(400)

    const records = await get<{ items: { answerId: string; principal: string }[] }>(`/api/v1/records?principal=${key.principal}`)
    expect(records.items.map(({ answerId }) => answerId).toSorted()).toEqual(ids.toSorted())
    expect((await get<{ items: unknown[] }>('/api/v1/records?principal=key:&persona=neutral')).items).toHaveLength(2)
    expect((await get<{ items: unknown[] }>('/api/v1/records?persona=nobody')).items).toEqual([])

    const csv = await (await fetch(`${gateway.url}/api/v1/records?format=csv&principal=${key.principal}`, { headers: owner })).text()
    const [head, ...lines] = csv.trim().split('\r\n')
    expect(lines.map((line) => line.split(',')[head!.split(',').indexOf('principal')])).toEqual([key.principal, key.principal])
  })
})
