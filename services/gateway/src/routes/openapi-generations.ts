import { z } from 'zod'
import type { ZodOpenApiPathsObject } from 'zod-openapi'
import { Activation, GenerationId, NewGeneration } from './generations.ts'
import { admin, body, json, loose, operation } from './openapi-parts.ts'

const at = '2026-11-21T12:00:00.000Z'
const gate = {
  passed: true,
  questions: 12,
  serving: 10,
  candidate: 11,
  lost: [],
  won: [{ question: 'How long is the warranty?', doc: 'manual.md' }],
  isCut: false,
  note: 'The candidate answers 11 of 12 golden questions rightly, the serving generation 10.',
  at,
}
const generation = {
  id: 2,
  model: 'text-embedding-v4',
  dimension: 1024,
  state: 'building',
  requestedBy: 'admin',
  createdAt: at,
  activatedAt: null,
  problem: null,
  gate: null,
  isComplete: false,
  texts: 48_210,
  missing: 31_020,
  progress: 0.356,
  secondsLeft: 1_240,
  waiting: [],
}
const active = { ...generation, state: 'active', isComplete: true, missing: 0, progress: 1, secondsLeft: 0, activatedAt: at, gate }
const estimate = {
  chunks: 50_000,
  texts: 48_210,
  missing: 48_210,
  tokens: 5_400_000,
  minutes: 32.5,
  diskBytes: 345_000_000,
  money: { amount: 0.38, currency: 'USD' },
}

const shadow = { percent: 5, retrieval: { perDocument: 2 }, generation: 2 }
const figures = {
  compared: 412,
  overlap: 0.83,
  meanMove: 0.4,
  sameFirst: 0.91,
  answerableOnlyInShadow: 6,
  answerableOnlyAsServed: 2,
  servedMs: 21.4,
  shadowMs: 24.9,
}

/** Another embedding model: built beside, judged, switched, taken back; another configuration: tried on real questions. */
export const generationsPaths: ZodOpenApiPathsObject = {
  '/api/v1/generations': {
    get: operation('The generations of the index, how far each is, and the models the embedder offers', {
      security: admin,
      responses: {
        200: json(z.object({ items: z.array(loose), models: z.array(loose) }), 'Generations', {
          items: [active, generation],
          models: [{ model: generation.model, dimension: 1024 }],
        }),
      },
    }),
    post: operation('Build an index with another model beside the one that serves; with dryRun only say what it would cost', {
      security: admin,
      requestParams: { query: z.object({ dryRun: z.boolean().optional() }) },
      requestBody: body(NewGeneration, { model: generation.model }),
      responses: {
        200: json(loose, 'With dryRun: the estimate', { dryRun: true, model: generation.model, dimension: 1024, estimate }),
        202: json(loose, 'It is being built', { ...generation, estimate }),
      },
    }),
  },
  '/api/v1/generations/rollback': {
    post: operation('Back to the generation that served before', {
      security: admin,
      responses: { 200: json(loose, 'It serves again', active) },
    }),
  },
  '/api/v1/generations/{id}': {
    get: operation('A generation', {
      security: admin,
      requestParams: { path: GenerationId },
      responses: { 200: json(loose, 'The generation', generation) },
    }),
    delete: operation('Give up a generation that does not serve: its vectors go', {
      security: admin,
      requestParams: { path: GenerationId },
      responses: { 204: { description: 'Gone' } },
    }),
  },
  '/api/v1/generations/{id}/gate': {
    post: operation('Ask the golden questions of it and of the one that serves; the result is kept with it', {
      security: admin,
      requestParams: { path: GenerationId },
      responses: { 200: json(loose, 'What they say', gate) },
    }),
  },
  '/api/v1/generations/{id}/activate': {
    post: operation('Let it serve, when it is complete and the golden questions find as much with it; the former stands by', {
      security: admin,
      requestParams: { path: GenerationId },
      requestBody: body(Activation, { force: false }),
      responses: { 200: json(loose, 'It serves', active) },
    }),
  },
  '/api/v1/shadow': {
    get: operation('The configuration that is tried beside, and what it found over the newest 5,000 records', {
      security: admin,
      responses: { 200: json(loose, 'The shadow; null when none is set', { shadow, figures }) },
    }),
  },
  '/api/v1/shadow/promote': {
    post: operation('Let the shadow serve: its settings, and its generation where it names one', {
      security: admin,
      requestBody: body(Activation, { force: false }),
      responses: {
        200: json(loose, 'The settings that serve now', {
          version: 8,
          settings: { retrieval: shadow.retrieval, shadow: null },
          generation: active,
        }),
      },
    }),
  },
}
