import { z } from 'zod'
import { Place } from './document.ts'

export const Scores = z.object({ lexical: z.number().optional(), dense: z.number().optional(), fused: z.number() })

/** A document's passage shown as a source; keeps these names on every surface. */
export const Source = z
  .object({
    n: z.number().int().positive(),
    citationId: z.string(),
    documentId: z.uuid(),
    path: z.string(),
    title: z.string(),
    mediaType: z.string(),
    ...Place.shape,
    heading: z.string().optional(),
    start: z.number().int(),
    end: z.number().int(),
    snippet: z.string(),
    score: z.number(),
  })
  .meta({ id: 'Source' })
export type Source = z.infer<typeof Source>

/** A chunk found for a question. `text` is the chunk; `parent` its section, for the prompt. */
export const Passage = Source.omit({ n: true, citationId: true })
  .extend({
    chunkId: z.string(),
    version: z.number().int(),
    text: z.string(),
    parent: z.object({ start: z.number().int(), end: z.number().int(), text: z.string() }),
    scores: Scores,
  })
  .meta({ id: 'Passage' })
export type Passage = z.infer<typeof Passage>

export const Filters = z
  .strictObject({
    collection: z.string().max(200).optional(),
    pathPrefix: z.string().max(1000).optional(),
    mediaType: z.string().max(200).optional(),
    modifiedAfter: z.iso.datetime().optional(),
    language: z.enum(['zh', 'en']).optional(),
  })
  .meta({ id: 'Filters' })
export type Filters = z.infer<typeof Filters>

export const SearchRequest = z
  .strictObject({
    query: z.string().trim().min(1).max(4_000),
    previous: z.string().max(4_000).optional(),
    limit: z.number().int().min(1).max(50).default(8),
    filters: Filters.optional(),
    explain: z.boolean().default(false),
  })
  .meta({ id: 'SearchRequest' })
export type SearchRequest = z.infer<typeof SearchRequest>

export const Candidate = z.object({
  chunkId: z.string(),
  documentId: z.string(),
  path: z.string(),
  scores: Scores,
  ranks: z.object({ lexical: z.number().int().optional(), dense: z.number().int().optional(), fused: z.number().int() }),
  kept: z.boolean(),
  why: z.string(),
})
export type Candidate = z.infer<typeof Candidate>

export const Gate = z.object({
  answerable: z.boolean(),
  score: z.number(),
  threshold: z.number(),
  language: z.enum(['zh', 'en']),
  reason: z.string(),
})

/** Sentence scores of the best passages: what the extractive answer chooses from. Offsets are into the document's text. */
export const SearchResponse = z
  .object({
    passages: z.array(Passage),
    answerable: z.boolean(),
    gate: Gate,
    degraded: z.array(z.string()),
    tookMs: z.number(),
    explain: z
      .object({
        plan: z.record(z.string(), z.unknown()),
        /** milliseconds per stage */
        timings: z.record(z.string(), z.number()),
        candidates: z.array(Candidate),
      })
      .optional(),
  })
  .meta({ id: 'SearchResponse' })
export type SearchResponse = z.infer<typeof SearchResponse>

/** Internal: sentences scored against a question by both legs, 0..1 each. `context` is the headings that stand over a sentence. */
export const SentencesRequest = z.strictObject({
  query: z.string().min(1).max(4_000),
  sentences: z.array(z.strictObject({ text: z.string().max(4_000), context: z.string().max(2_000) })).max(80),
})
export type SentencesRequest = z.infer<typeof SentencesRequest>
export const SentencesResponse = z.object({
  scores: z.array(z.object({ lexical: z.number(), dense: z.number().optional() })),
  degraded: z.array(z.string()),
})
export type SentencesResponse = z.infer<typeof SentencesResponse>
