import { z } from 'zod'
import { Source } from './passage.ts'

export const CitationSpan = z.object({
  start: z.number().int(),
  end: z.number().int(),
  source: z.number().int().positive(),
  verified: z.boolean().meta({ description: 'What is said stands in the source' }),
  unchecked: z
    .literal('language')
    .optional()
    .meta({ description: 'Beside verified: false. The source is in another language and holds nothing that could be compared' }),
})
/** A span of the answer's text (UTF-16, end exclusive) that source number `source` supports. */
export type CitationSpan = z.infer<typeof CitationSpan>

export const Usage = z.object({
  inputTokens: z.number().int(),
  outputTokens: z.number().int(),
  cost: z.number().optional(),
  currency: z.string().optional(),
})
export type Usage = z.infer<typeof Usage>

export const finalStates = ['done', 'stopped', 'interrupted', 'error'] as const
export type FinalState = (typeof finalStates)[number]
const End = z.object({ state: z.enum(finalStates), code: z.string().optional(), message: z.string().optional() })

const Approved = z.object({ id: z.uuid(), at: z.iso.datetime() }).meta({ description: 'The owner approved this answer' })

export const emotions = ['neutral', 'happy', 'angry', 'sad', 'anxious', 'urgent'] as const
/** How a question sounds. */
export type Emotion = (typeof emotions)[number]

const Warning = z.object({ code: z.string(), message: z.string() })
/** What a reader should know of an answer, e.g. that it names no source. */
export type Warning = z.infer<typeof Warning>

const schemas = {
  meta: z.object({
    answerId: z.uuid(),
    conversationId: z.uuid(),
    persona: z.string(),
    settingsVersion: z.number().int(),
    traceId: z.string(),
    emotion: z.enum(emotions).optional(),
  }),
  sources: z.object({ sources: z.array(Source), answerable: z.boolean(), approved: Approved.optional() }),
  delta: z.object({ text: z.string() }),
  citation: CitationSpan,
  warning: Warning,
  usage: Usage,
  done: End,
  stopped: End,
  interrupted: End,
  error: End,
} as const

/** The only language of streams: `type` is the SSE event name, `data` its JSON object. */
export type AnswerEvent = { [K in keyof typeof schemas]: { type: K; data: z.infer<(typeof schemas)[K]> } }[keyof typeof schemas]

export function isFinalType(type: AnswerEvent['type']): boolean {
  return (finalStates as readonly string[]).includes(type)
}

export const Answer = z
  .object({
    id: z.uuid(),
    conversationId: z.uuid(),
    state: z.enum(['streaming', ...finalStates]),
    text: z.string(),
    answerable: z.boolean(),
    sources: z.array(Source),
    citations: z.array(CitationSpan),
    degraded: z.array(z.string()),
    warnings: z.array(Warning).optional(),
    usage: Usage,
    model: z.string(),
    traceId: z.string(),
    approved: Approved.optional(),
    error: z.object({ code: z.string(), message: z.string() }).optional(),
  })
  .meta({ id: 'Answer' })
export type Answer = z.infer<typeof Answer>
