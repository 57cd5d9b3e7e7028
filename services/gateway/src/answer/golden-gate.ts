import { AppError } from '@docent/core/errors'
import type { SearchRequest, SearchResponse } from '@docent/core/passage'
import type { z } from 'zod'
import type { Golden } from '../store/golden.ts'

type Search = (request: z.input<typeof SearchRequest>) => Promise<SearchResponse>
type Question = Pick<Golden, 'question' | 'doc'>
export type GateResult = {
  passed: boolean
  questions: number
  /** how many each answers rightly: the expected document among the sources shown, or rightly nothing */
  serving: number
  candidate: number
  /** the first ones that only the serving generation, or only the candidate, answers rightly */
  lost: Question[]
  won: Question[]
  isCut: boolean
  note: string
  at: string
}

const MOST = 300
const AT_ONCE = 3
const SHOWN = 20

/**
 * The golden questions, asked of the generation that serves and of the candidate; it passes when the candidate answers as many rightly.
 * Errors: unavailable, when a search had to do without meaning: nothing is learnt from that.
 */
export async function askGolden(golden: readonly Golden[], topK: number, candidate: number, search: Search): Promise<GateResult> {
  const asked = golden.slice(-MOST)
  const marks: { question: Question; serving: boolean; candidate: boolean }[] = []
  const left = asked.values()
  await Promise.all(
    Array.from({ length: AT_ONCE }, async () => {
      for (const { question, doc } of left) {
        const request = { query: question, limit: topK }
        const [serving, other] = await Promise.all([search(request), search({ ...request, generation: candidate })])
        for (const found of [serving, other])
          if (found.degraded.includes('dense'))
            throw new AppError('unavailable', 'A search had to do without meaning; ask the golden questions again later.')
        marks.push({ question: { question, doc }, serving: isRight(serving, doc), candidate: isRight(other, doc) })
      }
    }),
  )
  const count = (side: 'serving' | 'candidate') => marks.filter((mark) => mark[side]).length
  const only = (side: 'serving' | 'candidate', other: 'serving' | 'candidate') =>
    marks
      .filter((mark) => mark[side] && !mark[other])
      .slice(0, SHOWN)
      .map(({ question }) => question)
  const passed = count('candidate') >= count('serving')
  return {
    passed,
    questions: asked.length,
    serving: count('serving'),
    candidate: count('candidate'),
    lost: only('serving', 'candidate'),
    won: only('candidate', 'serving'),
    isCut: golden.length > MOST,
    note:
      asked.length === 0
        ? 'There are no golden questions, so nothing was compared: keep some with POST /api/v1/records/ID/golden.'
        : `The candidate answers ${count('candidate')} of ${asked.length} golden questions rightly, the serving generation ${count('serving')}.`,
    at: new Date().toISOString(),
  }
}

function isRight({ passages, answerable }: SearchResponse, doc: string | null): boolean {
  return doc === null ? !answerable : passages.some(({ path }) => path === doc)
}
