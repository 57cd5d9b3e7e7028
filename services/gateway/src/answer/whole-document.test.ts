import type { Passage, SearchResponse } from '@docent/core/passage'
import { expect, test } from 'vitest'
import type { Job } from './job.ts'
import { documentToSum, wholeDocument } from './whole-document.ts'

const passage = (path: string, title: string, start = 0, text = 'A rule.'): Passage =>
  ({ path, title, documentId: path, start, end: start + text.length, text, parent: { start, end: start + text.length, text } }) as Passage
const handbook = passage('hr/员工手册.md', '北屿仪器员工手册（2026 版）')
const nda = passage('contracts/nda-northwind.en.md', 'Mutual Non-Disclosure Agreement')
const list = passage('hr/staff-directory.csv', 'staff-directory.csv')

test.each([
  ['总结一下员工手册', handbook.path],
  ['員工手冊主要講了什麼內容？請概括要點', handbook.path],
  ['员工手册讲了什么？', handbook.path],
  ['Summarise the Northwind NDA', nda.path],
  ['Please give me a short summary of the Northwind NDA.', nda.path],
  ['总结一下', undefined],
  ['员工手册里陪产假有几天？', undefined],
  ['总结一下上海市场的竞争情况', undefined],
])('%s', (question, path) => {
  expect(documentToSum(question, [list, handbook, nda])).toBe(path)
})

test('where two documents bear the name none is taken', () => {
  expect(documentToSum('总结一下价目表', [passage('a/价目表.csv', '价目表'), passage('b/价目表.csv', '价目表')])).toBeUndefined()
})

function job(topK: number, filters?: object): Job {
  const abort = new AbortController()
  return { question: '总结一下员工手册', settings: { settings: { topK } }, filters, abort, answerId: 'a' } as unknown as Job
}
const found = { passages: [handbook, nda] } as SearchResponse
const searching = (passages: Passage[], asked: object[] = []) => ({
  retrieval: {
    search: async (query: object) => {
      asked.push(query)
      return { passages }
    },
  },
  events: { stepFailed: () => undefined },
})
const deps = (...given: Parameters<typeof searching>) => searching(...given) as unknown as Parameters<typeof wholeDocument>[1]

test('all its sections are read in their order, each once, within the rights and filters of the question', async () => {
  const sections = [40, 0, 20].map((start) => passage(handbook.path, handbook.title, start))
  const asked: object[] = []
  const whole = await wholeDocument(job(3, { language: 'zh' }), deps([...sections, sections[0]!, nda], asked), found)
  expect(whole?.map(({ start }) => start)).toEqual([0, 20, 40])
  expect(asked).toMatchObject([{ limit: 50, filters: { language: 'zh', pathPrefix: handbook.path } }])
})

test('of a long one those that were found first and fit', async () => {
  const long = [3_000, 0, 6_000].map((start) => passage(handbook.path, handbook.title, start, '规则。'.repeat(400)))
  expect((await wholeDocument(job(1), deps(long), found))?.map(({ start }) => start)).toEqual([3_000])
})

test('one section, a folder chosen by the asker, or a search that fails: the passages that were found are used', async () => {
  expect(await wholeDocument(job(3), deps([handbook]), found)).toBeUndefined()
  expect(await wholeDocument(job(3, { pathPrefix: 'hr/' }), deps([handbook]), found)).toBeUndefined()
  const failing = { ...deps([]), retrieval: { search: () => Promise.reject(new Error('down')) } } as unknown as Parameters<
    typeof wholeDocument
  >[1]
  expect(await wholeDocument(job(3), failing, found)).toBeUndefined()
})
