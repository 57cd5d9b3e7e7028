import { Answer, CitationSpan, finalStates } from '@docent/core/answer-event'
import { Source } from '@docent/core/passage'
import { z } from 'zod'
import { PersonaSettings } from '../store/settings.ts'
import { count, failure, next, time, warnings } from './openapi-parts.ts'

const words = z.union([z.string(), z.object({ zh: z.string(), en: z.string() })]).nullable()

export const Persona = z
  .object({
    id: z.string(),
    version: count,
    title: z.string(),
    prompt: z.string(),
    settings: PersonaSettings,
    collections: z.array(z.string()).nullable(),
    tone: z.string().nullable(),
    greeting: words,
    refusal: words,
    answersWithoutSources: z.boolean(),
  })
  .meta({ id: 'Persona' })

/** A file leaves out what is as it is by itself. */
export const PersonaFile = Persona.omit({ version: true })
  .partial()
  .required({ id: true, title: true, prompt: true })
  .meta({ id: 'PersonaFile' })

export const ChangedPersona = Persona.extend({ warnings }).meta({ id: 'ChangedPersona' })

export const PersonaVersion = Persona.extend({ deleted: z.boolean(), createdAt: time }).meta({ id: 'PersonaVersion' })

export const PersonaCard = z
  .object({ id: z.string(), title: z.string(), version: count, isDefault: z.boolean(), greeting: words })
  .meta({ id: 'PersonaCard' })

export const ImportedPersona = z
  .object({ id: z.string(), version: count, outcome: z.enum(['created', 'changed', 'unchanged']), warnings })
  .meta({ id: 'ImportedPersona' })

export const Message = z
  .object({
    id: z.uuid(),
    role: z.enum(['question', 'answer']),
    text: z.string(),
    state: z.string(),
    createdAt: time,
    copyOf: z.uuid().optional().meta({ description: 'In a branch: the message it is a copy of' }),
    sources: z.array(Source).optional(),
    citations: z.array(CitationSpan).optional(),
    degraded: z.array(z.string()).optional(),
    answerable: z.boolean().optional(),
    warnings,
    error: failure.optional(),
  })
  .meta({ id: 'Message' })
const branchedFrom = z.object({ conversationId: z.uuid(), messageId: z.uuid() }).nullable()

export const BranchNode = z
  .object({ id: z.uuid(), title: z.string(), createdAt: time, updatedAt: time, branchedFrom })
  .meta({ id: 'BranchNode' })

export const Conversation = BranchNode.extend({ persona: z.string() }).meta({ id: 'Conversation' })

export const ConversationWithMessages = Conversation.extend({
  messages: z.array(Message),
  next: next.meta({ description: 'There are more messages: the `cursor` of …/messages that goes on' }),
}).meta({ id: 'ConversationWithMessages' })

export const ExportedConversation = Conversation.extend({ messages: z.array(Message) }).meta({ id: 'ExportedConversation' })

export const Share = z.object({ id: z.string(), url: z.string(), createdAt: time }).meta({ id: 'Share' })

export const SharedConversation = z
  .object({
    title: z.string(),
    createdAt: time,
    sharedAt: time,
    messages: z.array(Message.omit({ id: true })),
    withheld: count.optional(),
  })
  .meta({ id: 'SharedConversation' })

export const Attachment = z
  .object({
    id: z.uuid(),
    name: z.string(),
    mediaType: z.string(),
    pages: count.nullable(),
    characters: count,
    createdAt: time,
    expiresAt: time,
  })
  .meta({ id: 'Attachment' })

export const Fact = z
  .object({ id: z.uuid(), fact: z.string(), answerId: z.uuid().nullable(), createdAt: time, updatedAt: time })
  .meta({ id: 'Fact' })

export const Memory = z
  .object({
    enabled: z.boolean(),
    learns: z.boolean(),
    why: z.enum(['switched_off', 'unknown_reader', 'not_enabled', 'no_model']).optional(),
    items: z.array(Fact).meta({ description: 'At most 50' }),
  })
  .meta({ id: 'Memory' })

export const Rated = z.object({ answerId: z.uuid(), rating: z.literal([1, -1]), comment: z.string() }).meta({ id: 'Rated' })

export const Prompt = z
  .object({ id: z.uuid(), version: count, name: z.string(), content: z.string(), createdAt: time })
  .meta({ id: 'Prompt' })

export const Citation = Source.extend({
  answerId: z.uuid(),
  state: z.enum(['current', 'changed', 'gone', 'unknown']),
  text: z.string().meta({ description: 'The passage as it was when it was cited' }),
  fileUrl: z.string().optional().meta({ description: 'Absent for a file attached to a conversation' }),
}).meta({ id: 'Citation' })

export const Stopped = z
  .object({ id: z.uuid(), answerId: z.uuid(), state: z.enum(['streaming', ...finalStates]), text: z.string() })
  .meta({ id: 'Stopped' })

export const ChatReply = z
  .object({
    response: z.string(),
    answer: z.string(),
    message: z.string(),
    user_id: z.string().optional(),
    conversation_id: z.uuid(),
    sources: z.array(Source),
    docent: Answer,
  })
  .meta({ id: 'ChatReply' })
