import { CitationSpan, finalStates, Usage } from '@docent/core/answer-event'
import { Source } from '@docent/core/passage'
import { z } from 'zod'
import { Settings } from '../store/settings.ts'
import { code, count, loose, next, time } from './openapi-parts.ts'

const SourceNote = z
  .looseObject({ n: count, documentId: z.string(), path: z.string(), start: count, end: count, score: z.number() })
  .meta({ id: 'SourceNote' })

/** A question answered for the owner's eyes. */
export const Rehearsed = z
  .object({
    state: z.enum(finalStates),
    code: code.optional(),
    text: z.string(),
    settings: Settings,
    persona: z.string(),
    personaVersion: count,
    sources: z.array(SourceNote),
    citations: z.array(CitationSpan),
    answerable: z.boolean(),
    model: z.string(),
    degraded: z.array(z.string()),
    usage: Usage,
    record: loose,
  })
  .meta({ id: 'Rehearsed' })

export const FlightRecord = z
  .object({
    answerId: z.uuid(),
    conversationId: z.uuid(),
    traceId: z.string(),
    principal: z.string().meta({ description: 'Who asked' }),
    question: z.string(),
    text: z.string(),
    settingsVersion: count,
    createdAt: time,
    rating: z.number().nullable(),
    record: z.looseObject({
      state: z.string().optional(),
      code: code.optional(),
      provider: z.string().optional(),
      model: z.string().optional(),
      persona: z.string().optional(),
      personaVersion: count.optional(),
      settings: loose.optional(),
      cache: z.string().optional(),
      answerable: z.boolean().optional(),
      degraded: z.array(z.string()).optional(),
      sources: z.array(SourceNote).optional(),
      timings: z.record(z.string(), z.number()).optional(),
      usage: Usage.optional(),
    }),
  })
  .meta({ id: 'FlightRecord' })

export const SettingChange = z
  .object({ name: z.string(), from: z.unknown().optional(), to: z.unknown().optional() })
  .meta({ id: 'SettingChange' })

export const SettingsVersion = z
  .object({ version: count, settings: Settings, author: z.string(), note: z.string(), createdAt: time })
  .meta({ id: 'SettingsVersion' })

export const SettingsDiff = z.object({ from: count, to: count, changes: z.array(SettingChange) }).meta({ id: 'SettingsDiff' })

export const Replayed = z
  .object({
    original: z.object({
      answerId: z.uuid(),
      text: z.string(),
      settingsVersion: count,
      settings: loose.optional(),
      sources: z.array(SourceNote),
      answerable: z.boolean().nullable(),
      model: z.string(),
      usage: Usage.nullable(),
      timings: z.record(z.string(), z.number()),
      degraded: z.array(z.string()),
    }),
    replay: Rehearsed.extend({ basedOn: count.meta({ description: 'The version of the settings that it did not change' }) }),
    diff: z.object({
      sources: z.object({
        kept: z.array(SourceNote),
        gone: z.array(SourceNote),
        new: z.array(SourceNote),
        moved: z.array(SourceNote).meta({ description: 'With `from`, the number it had' }),
      }),
      text: z.array(z.object({ op: z.enum(['same', 'gone', 'new']), text: z.string() })),
      settings: z.array(SettingChange),
    }),
  })
  .meta({ id: 'Replayed' })

export const GapList = z
  .object({
    items: z.array(
      z.object({
        question: z.string(),
        count,
        why: z.object({ notFound: count, thumbsDown: count, unverified: count }),
        lastAt: time,
        examples: z.array(z.object({ answerId: z.uuid(), question: z.string(), createdAt: time })),
      }),
    ),
    left: count.meta({ description: 'How many more gaps there are than `limit`' }),
    looked: count.meta({ description: 'Weak answers that were counted, the newest ones' }),
    isCut: z.boolean().meta({ description: 'There are older ones; `to` leads to them' }),
  })
  .meta({ id: 'GapList' })
const golden = { id: z.uuid(), lang: z.enum(['zh', 'en']), doc: z.string().nullable(), answer: z.string().nullable(), note: z.string() }

export const Golden = z.object({ ...golden, question: z.string() }).meta({ id: 'Golden' })

export const GoldenList = z
  .object({ questions: z.array(z.object({ ...golden, q: z.string(), kind: z.enum(['mono', 'unanswerable']) })), next })
  .meta({ id: 'GoldenList' })

export const SavedAnswer = z
  .object({
    id: z.uuid(),
    question: z.string(),
    text: z.string(),
    citations: z.array(CitationSpan),
    author: z.string(),
    createdAt: time,
    state: z.enum(['approved', 'aside']),
    aside: z.object({ at: time, why: z.string().nullable() }).optional(),
    sources: z.array(Source.omit({ citationId: true }).extend({ version: count })),
  })
  .meta({ id: 'SavedAnswer' })
