import type { ZodOpenApiPathsObject } from 'zod-openapi'
import { Approve, GapsQuery, GoldenQuery, NewGolden } from './improve.ts'
import { admin, answerId, body, id, json, operation, pages } from './openapi-parts.ts'
import { GapList, Golden, GoldenList, SavedAnswer } from './openapi-shapes-owner.ts'
import { ShortPage } from './paging.ts'

const example = { answerId: '22222222-2222-4222-8222-222222222222', question: '海外保修怎么办理？', createdAt: '2026-11-21T12:00:00.000Z' }
const saved = {
  id: '44444444-4444-4444-8444-444444444444',
  question: 'How long is the warranty?',
  text: 'The warranty is 24 months [1].',
  citations: [{ start: 0, end: 26, source: 1, verified: true }],
  author: 'admin',
  createdAt: example.createdAt,
  state: 'approved',
  sources: [{ n: 1, path: 'manual.md', version: 2 }],
}

/** Gaps, golden questions and approved answers. */
export const improvePaths: ZodOpenApiPathsObject = {
  '/api/v1/gaps': {
    get: operation('Weakly answered questions, those about the same counted together', {
      security: admin,
      requestParams: { query: GapsQuery },
      responses: {
        200: json(GapList, 'Gaps, the most asked first', {
          items: [
            {
              question: example.question,
              count: 3,
              why: { notFound: 2, thumbsDown: 1, unverified: 0 },
              lastAt: example.createdAt,
              examples: [example],
            },
          ],
          left: 0,
          looked: 40,
          isCut: false,
        }),
      },
    }),
  },
  '/api/v1/records/{answerId}/golden': {
    post: operation('Keep the question with its right source for the evaluation, in place of what was kept for the same question', {
      security: admin,
      requestParams: { path: answerId },
      requestBody: body(NewGolden, { doc: 'warranty/limited-warranty.md', answer: '24 months' }),
      responses: {
        201: json(Golden, 'Kept', {
          id: saved.id,
          lang: 'en',
          question: saved.question,
          doc: 'warranty/limited-warranty.md',
          answer: '24 months',
          note: '',
        }),
      },
    }),
  },
  '/api/v1/golden': {
    get: operation('The golden questions, in the shape the evaluation reads', {
      security: admin,
      requestParams: { query: GoldenQuery },
      responses: {
        200: json(GoldenList, 'Golden questions', {
          questions: [{ id: saved.id, lang: 'en', kind: 'mono', q: saved.question, doc: 'manual.md', answer: '24 months', note: '' }],
        }),
      },
    }),
  },
  '/api/v1/golden/{id}': {
    delete: operation('Delete a golden question', {
      security: admin,
      requestParams: { path: id },
      responses: { 204: { description: 'Deleted' } },
    }),
  },
  '/api/v1/saved-answers': {
    get: operation('Approved answers, in use or put aside because a source changed', {
      security: admin,
      requestParams: { query: ShortPage },
      responses: { 200: json(pages(SavedAnswer), 'Approved answers', { items: [saved] }) },
    }),
    post: operation('Approve an answer: it is given to everyone who asks the same, as long as its sources are current', {
      security: admin,
      requestBody: body(Approve, { answerId: example.answerId }),
      responses: { 201: json(SavedAnswer, 'Approved', saved) },
    }),
  },
  '/api/v1/saved-answers/{id}': {
    delete: operation('Withdraw it', { security: admin, requestParams: { path: id }, responses: { 204: { description: 'Withdrawn' } } }),
  },
}
