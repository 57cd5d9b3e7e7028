import { z } from 'zod'
import { Place } from './document.ts'

/** `rerank` is on a scale of 0 to 1 whatever the model behind it returns; `sentence` is the share of the question's words in the best sentence. */
export const Scores = z.object({
  lexical: z.number().optional(),
  dense: z.number().optional(),
  sentence: z.number().optional(),
  fused: z.number(),
  rerank: z.number().optional(),
})

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
    mediaType: z
      .string()
      .max(200)
      .regex(/^[^/\s]+\/[^/\s]+$/, 'must be a media type, like application/pdf')
      .optional(),
    modifiedAfter: z.iso.datetime().optional(),
    language: z.enum(['zh', 'en']).optional(),
  })
  .meta({ id: 'Filters' })
export type Filters = z.infer<typeof Filters>

const share = z.number().min(0).max(1)
const words = z.strictObject({ low: share, high: z.number().min(0).max(2), base: share, sentence: z.number().min(0).max(10) }).partial()
const odds = z
  .strictObject({ own: z.number().min(0).max(100), other: z.number().min(0).max(100), bias: z.number().min(-100).max(100) })
  .partial()
const fit = z.number().min(0).max(10)
const gateWords = z
  .strictObject({ both: z.number().min(0), margin: z.number().min(0), wordsOnly: share, cross: fit, crossInMixed: fit })
  .partial()

/** What of a search can be set; what is left out stays as it was tuned. Each response names the whole set as `configVersion`. */
export const Tuning = z
  .strictObject({
    lexicalHits: z.number().int().min(1).max(300).meta({ description: 'Candidates by words' }),
    perDocument: z.number().int().min(1).max(50).meta({ description: 'Passages of one document, unless it is the only one' }),
    sameness: share.meta({ description: 'Share of common words above which two passages say the same' }),
    weights: z
      .strictObject({
        zh: words,
        en: words,
        hant: share,
        scripts: share,
        codes: share,
        cross: share,
        translated: share,
        margin: z.number().min(0).max(100),
      })
      .partial()
      .meta({
        description:
          'How much meaning counts against words, by language and by how far the words are known; sentence: what words count for that stand in one sentence',
      }),
    gate: z
      .strictObject({
        zh: gateWords,
        en: gateWords,
        crossFrom: fit,
        held: fit,
        nowhere: share,
        minGroup: z.number().int().min(1).max(50),
        factor: z.number().min(0).max(4),
      })
      .partial()
      .meta({ description: 'Thresholds of “answerable”; all are multiplied by factor' }),
    languages: z
      .strictObject({ zh: odds, en: odds, step: share, minGroup: z.number().int().min(1).max(50) })
      .partial()
      .meta({ description: 'How likely the answer is written in the language of the question; step 0 judges nothing' }),
    hints: z.strictObject({ name: share, date: share, code: share }).partial().meta({
      description:
        'Added to passages whose document the question names, or a year or version of it, and to those that hold its rare identifiers (code); 0 leaves it out',
    }),
    rerankTop: z.number().int().min(2).max(50).meta({ description: 'Candidates that are reranked' }),
    rerankTimeoutMs: z.number().int().min(50).max(8_000).meta({ description: 'After so long the answer goes on without reranking' }),
  })
  .partial()
  .meta({ id: 'Tuning' })
export type TuningPatch = z.infer<typeof Tuning>

export const SearchRequest = z
  .strictObject({
    query: z.string().trim().min(1).max(4_000),
    previous: z.string().max(4_000).optional(),
    limit: z.number().int().min(1).max(50).default(8),
    filters: Filters.optional(),
    explain: z.boolean().default(false),
    rerank: z.boolean().default(false).meta({ description: 'Order the best candidates by the reranker of the embedder, where one is set' }),
    tuning: Tuning.optional(),
    generation: z
      .int()
      .min(1)
      .max(2_000_000_000)
      .optional()
      .meta({ description: 'Search this generation of the index, not the one that serves; admin key only' }),
  })
  .meta({ id: 'SearchRequest' })
export type SearchRequest = z.infer<typeof SearchRequest>

export const Candidate = z.object({
  chunkId: z.string(),
  documentId: z.string(),
  path: z.string(),
  scores: Scores,
  /** what the question says of its document */
  hints: z.array(z.enum(['name', 'date', 'code'])).optional(),
  /** its place at each stage, from 1; `final` among the passages */
  ranks: z.object({
    lexical: z.number().int().optional(),
    dense: z.number().int().optional(),
    fused: z.number().int(),
    rerank: z.number().int().optional(),
    final: z.number().int().optional(),
  }),
  kept: z.boolean(),
  why: z.string(),
})
export type Candidate = z.infer<typeof Candidate>

/** the gate's reason where an identifier of the question stands nowhere */
export const NAMED_NOWHERE = 'what the question names stands in no document'

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
    indexed: z.number().int().optional().meta({ description: 'Chunks in the index: 0 while there is nothing to search' }),
    configVersion: z.string().optional().meta({ description: 'Names the weights and thresholds this search ran with' }),
    generation: z.number().int().optional().meta({ description: 'Generation of the index that meaning was searched in' }),
    explain: z
      .object({
        why: z.string().meta({ description: 'The search in plain words, in the language of the question' }),
        plan: z.record(z.string(), z.unknown()),
        /** milliseconds per stage */
        timings: z.record(z.string(), z.number()),
        candidates: z.array(Candidate),
      })
      .optional(),
  })
  .meta({ id: 'SearchResponse' })
export type SearchResponse = z.infer<typeof SearchResponse>

/**
 * Internal: sentences scored against a question by both legs, 0..1 each. `context` is the headings that stand over a sentence. `stands`: how
 * much nearer (cosine) the question is to it than questions about anything are; absent until these are known.
 */
export const SentencesRequest = z.strictObject({
  query: z.string().min(1).max(4_000),
  sentences: z.array(z.strictObject({ text: z.string().max(4_000), context: z.string().max(2_000) })).max(80),
})
export type SentencesRequest = z.infer<typeof SentencesRequest>
export const SentencesResponse = z.object({
  scores: z.array(z.object({ lexical: z.number(), dense: z.number().optional(), stands: z.number().optional() })),
  degraded: z.array(z.string()),
})
export type SentencesResponse = z.infer<typeof SentencesResponse>
