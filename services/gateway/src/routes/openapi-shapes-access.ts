import { z } from 'zod'
import { count, pages, time, warnings } from './openapi-parts.ts'

const scopes = z.array(z.enum(['chat', 'read', 'ingest', 'admin']))
const limits = z.object({
  requestsPerMinute: count.optional(),
  uploadsPerMinute: count.optional(),
  openAnswers: count.optional(),
  tokensPerDay: count.optional(),
})

export const Caller = z
  .object({
    id: z.string(),
    kind: z.enum(['anonymous', 'key', 'user', 'admin']),
    scopes,
    groups: z.array(z.string()),
    collections: z.array(z.string()).optional(),
    limits: limits.optional(),
  })
  .meta({ id: 'Caller' })

export const Key = z
  .object({
    id: z.uuid(),
    prefix: z.string().nullable(),
    name: z.string(),
    scopes,
    collections: z.array(z.string()).nullable(),
    limits,
    createdAt: time,
    expiresAt: time.nullable(),
    rotatedAt: time.nullable(),
    previousUntil: time.nullable().meta({ description: 'Until then the secret before the last rotation works' }),
    revokedAt: time.nullable(),
  })
  .meta({ id: 'Key' })

export const MadeKey = Key.extend({ key: z.string().meta({ description: 'The secret, shown this once' }), warnings }).meta({
  id: 'MadeKey',
})

export const UsagePage = pages(
  z.object({
    day: z.iso.date(),
    principal: z.string().meta({ description: '`*`: all together' }),
    name: z.string().optional().meta({ description: 'Of a key' }),
    requests: count,
    inputTokens: count,
    outputTokens: count,
    cost: z.number(),
  }),
)
  .extend({
    budgets: z.array(z.object({ name: z.string(), used: z.number(), budget: z.number() })),
    dailyTokenBudget: count,
    currency: z.string().nullable(),
    note: z.string().optional(),
  })
  .meta({ id: 'UsagePage' })
const price = z.object({ input: z.number(), output: z.number(), currency: z.string() })

export const ProviderList = z
  .object({
    items: z.array(
      z.looseObject({
        name: z.string(),
        model: z.string(),
        address: z.string(),
        state: z.string(),
        calls: z.object({ answered: count, failed: count, skipped: count, limited: count }),
        price: price.optional(),
        limits: z.record(z.string(), z.object({ most: count, used: count })).optional(),
        lastFirstTokenMs: z.number().optional(),
        retryAt: time.optional(),
      }),
    ),
    lastResort: z.literal('extractive'),
  })
  .meta({ id: 'ProviderList' })

export const Health = z
  .object({
    status: z.enum(['ok', 'degraded', 'unavailable']),
    timestamp: time,
    services: z.record(z.string(), z.enum(['ok', 'unavailable'])),
  })
  .meta({ id: 'Health' })

export const Stats = z
  .looseObject({
    documents: z.record(z.string(), count),
    chunks: count.nullable(),
    conversations: count,
    questions: count,
    streamsOpen: count,
  })
  .meta({ id: 'Stats' })

export const SystemInfo = z
  .object({
    name: z.string(),
    version: z.string(),
    startedAt: time,
    uptimeS: count,
    model: z.string(),
    providers: z.array(z.object({ name: z.string(), model: z.string() })),
    mode: z.enum(['model', 'extractive']),
    settingsVersion: count,
    topK: count,
    persona: z.string(),
    features: z.record(z.string(), z.boolean()),
    access: z.enum(['public', 'keys']),
  })
  .meta({ id: 'SystemInfo' })
