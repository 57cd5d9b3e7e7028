import type { ZodOpenApiPathsObject } from 'zod-openapi'
import { NewKey, Rotate } from './keys.ts'
import { admin, body, id, json, operation, pages } from './openapi-parts.ts'
import { Caller, Key, MadeKey, UsagePage } from './openapi-shapes-access.ts'
import { ShortPage } from './paging.ts'
import { UsageQuery } from './usage.ts'

const key = {
  id: '33333333-3333-4333-8333-333333333333',
  prefix: 'docent_0123456789ab',
  name: 'intranet',
  scopes: ['chat'],
  collections: ['handbook'],
  limits: { requestsPerMinute: 60, openAnswers: 4, tokensPerDay: 200_000 },
  createdAt: '2026-11-21T12:00:00.000Z',
  expiresAt: null,
  rotatedAt: null,
  previousUntil: null,
  revokedAt: null,
}
const made = { ...key, key: 'docent_0123456789ab_…' }

/** Who one is, keys, and what they and all others used. */
export const keyPaths: ZodOpenApiPathsObject = {
  '/api/v1/me': {
    get: operation('Who the caller is taken for, and what it may do', {
      responses: {
        200: json(Caller, 'The caller', { id: 'user:alice', kind: 'user', scopes: ['chat', 'read'], groups: ['staff'] }),
      },
    }),
  },
  '/api/v1/keys': {
    get: operation('Keys, without their secrets, the newest first', {
      security: admin,
      requestParams: { query: ShortPage },
      responses: { 200: json(pages(Key), 'A page of keys', { items: [key] }) },
    }),
    post: operation('Make a key; it is shown this once', {
      security: admin,
      requestBody: body(NewKey, { name: 'intranet', scopes: ['chat'], collections: ['handbook'], limits: { requestsPerMinute: 60 } }),
      responses: { 201: json(MadeKey, 'The key', made) },
    }),
  },
  '/api/v1/keys/{id}/rotate': {
    post: operation('A new secret for the key; the old one works on for graceS seconds', {
      security: admin,
      requestParams: { path: id },
      requestBody: body(Rotate, { graceS: 3_600 }),
      responses: { 200: json(MadeKey, 'The key with its new secret', made) },
    }),
  },
  '/api/v1/keys/{id}': {
    delete: operation('Revoke a key, at once', {
      security: admin,
      requestParams: { path: id },
      responses: { 204: { description: 'Revoked' } },
    }),
  },
  '/api/v1/usage': {
    get: operation('Tokens and money by day and principal (of a key with its name), and how full each budget is', {
      security: admin,
      requestParams: { query: UsageQuery },
      responses: {
        200: json(UsagePage, 'Usage', {
          items: [{ day: '2026-11-21', principal: '*', requests: 12, inputTokens: 9_000, outputTokens: 700, cost: 0.004 }],
          budgets: [{ name: 'dayTokens', used: 9_700, budget: 2_000_000 }],
          dailyTokenBudget: 2_000_000,
          currency: 'USD',
        }),
      },
    }),
  },
}
