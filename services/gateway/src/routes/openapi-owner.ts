import { ChunkingCost } from '@docent/core/chunking'
import { z } from 'zod'
import type { ZodOpenApiPathsObject } from 'zod-openapi'
import { ChunkingView } from '../clients/chunking.ts'
import { Settings, SettingsPatch } from '../store/settings.ts'
import { admin, answerId, body, json, operation, pages } from './openapi-parts.ts'
import { FlightRecord, Replayed, SettingChange, SettingsDiff, SettingsVersion } from './openapi-shapes-owner.ts'
import { RecordsQuery, ReplayBody } from './records.ts'
import { Change, History, Rollback } from './settings.ts'

const Current = z.object({
  version: z.number().int(),
  settings: Settings,
  chunking: ChunkingView.meta({
    description: 'What ingest cuts documents by now, and how many are still cut otherwise; or why it does not follow yet',
  }),
})
const Rehearsal = z.object({
  dryRun: z.literal(true),
  version: z.number().int(),
  settings: Settings,
  changes: z.array(SettingChange),
  reindex: ChunkingCost.nullable().meta({ description: 'What another chunking would cost, at most; null: it stays as it is' }),
})
const version = { version: 3, settings: Settings.parse({ topK: 4 }) }
const current = {
  ...version,
  chunking: { isInForce: true, size: 500, overlap: 50, from: 'configuration', settingsVersion: 3, documentsLeft: 0 },
}
const changes = [{ name: 'topK', from: 3, to: 4 }]
const ifMatch = z.object({ 'If-Match': z.string().optional().meta({ description: 'The version the change is made upon', example: '"3"' }) })
const source = { n: 1, documentId: '11111111-1111-4111-8111-111111111111', path: 'manual.md', start: 0, end: 120, score: 0.91 }
const record = {
  answerId: '22222222-2222-4222-8222-222222222222',
  question: 'How long is the warranty?',
  text: 'The warranty is 24 months [1].',
  settingsVersion: 3,
  rating: -1,
  record: {
    state: 'done',
    provider: 'deepseek',
    model: 'deepseek-chat',
    persona: 'neutral',
    personaVersion: 0,
    cache: 'miss',
    asked: { rerank: true },
    queries: {
      mode: 'rewrite',
      modelMs: 410,
      searched: [{ query: 'How long is the warranty?', answerable: true, tookMs: 12, found: ['c-1'] }],
    },
    retrieval: { rerank: 'reranker', tookMs: 29 },
    degraded: [],
    sources: [source],
    timings: { retrievalMs: 31, ttftMs: 420, totalMs: 1_900 },
    usage: { inputTokens: 900, outputTokens: 40, cost: 0.0003, currency: 'USD' },
  },
  createdAt: '2026-11-21T12:00:00.000Z',
}

/** What the owner sees and tunes: records and settings. */
export const ownerPaths: ZodOpenApiPathsObject = {
  '/api/v1/records': {
    get: operation('Flight records, newest first; or their export as CSV or JSON lines', {
      security: admin,
      requestParams: { query: RecordsQuery },
      responses: {
        200: {
          description: 'A page of records, or the file',
          content: {
            'application/json': { schema: pages(FlightRecord), example: { items: [record] } },
            'text/csv': { schema: z.string() },
            'application/jsonl': { schema: z.string() },
          },
        },
      },
    }),
  },
  '/api/v1/records/{answerId}': {
    get: operation('A flight record, whole: every candidate with its scores and why it stayed or went', {
      security: admin,
      requestParams: { path: answerId },
      responses: { 200: json(FlightRecord, 'The record', record) },
    }),
  },
  '/api/v1/records/{answerId}/replay': {
    post: operation('Run the question again, with other settings if wanted; costs what an answer costs, and is kept nowhere else', {
      security: admin,
      requestParams: { path: answerId },
      requestBody: body(ReplayBody, { settings: { topK: 5, temperature: 0 } }),
      responses: {
        200: json(Replayed, 'Both answers and what differs', {
          diff: {
            sources: { kept: [source], gone: [], new: [], moved: [] },
            settings: changes,
            text: [
              { op: 'same', text: 'The warranty is ' },
              { op: 'gone', text: '12' },
              { op: 'new', text: '24' },
              { op: 'same', text: ' months [1].' },
            ],
          },
        }),
      },
    }),
  },
  '/api/v1/settings': {
    get: operation('Settings; the ETag is their version', {
      security: admin,
      responses: { 200: json(Current, 'The settings and their version', current) },
    }),
    patch: operation('Change settings; 412 when If-Match names another version', {
      security: admin,
      requestParams: { header: ifMatch, query: Change },
      requestBody: body(SettingsPatch, { topK: 4 }),
      responses: { 200: json(z.union([Current, Rehearsal]), 'The settings and their new version, or what they would be', current) },
    }),
  },
  '/api/v1/settings/versions': {
    get: operation('All versions, newest first, with what each changed', {
      security: admin,
      requestParams: { query: History },
      responses: {
        200: json(pages(SettingsVersion.extend({ changes: z.array(SettingChange) })), 'Versions', {
          items: [{ ...version, author: 'admin', note: '', createdAt: record.createdAt, changes }],
        }),
      },
    }),
  },
  '/api/v1/settings/versions/{version}': {
    get: operation('The settings of a version', {
      security: admin,
      requestParams: { path: z.object({ version: z.number().int() }) },
      responses: {
        200: json(SettingsVersion, 'The version', { ...version, author: 'admin', note: '', createdAt: record.createdAt }),
      },
    }),
  },
  '/api/v1/settings/diff': {
    get: operation('What differs between two versions', {
      security: admin,
      requestParams: { query: z.object({ from: z.number().int(), to: z.number().int() }) },
      responses: { 200: json(SettingsDiff, 'The names whose values differ', { from: 2, to: 3, changes }) },
    }),
  },
  '/api/v1/settings/rollback': {
    post: operation('Make an old version the newest one', {
      security: admin,
      requestParams: { header: ifMatch, query: Change },
      requestBody: body(Rollback, { version: 1 }),
      responses: { 200: json(z.union([Current, Rehearsal]), 'The settings and their new version, or what they would be', current) },
    }),
  },
}
