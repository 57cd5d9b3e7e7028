import { z } from 'zod'
import type { ZodOpenApiPathsObject } from 'zod-openapi'
import { Branch } from './conversations.ts'
import { MemoryFact, MemorySwitch } from './memory.ts'
import { admin, body, id, json, listed, operation, pages } from './openapi-parts.ts'
import {
  Attachment,
  BranchNode,
  ChangedPersona,
  ConversationWithMessages,
  ExportedConversation,
  Fact,
  ImportedPersona,
  Memory,
  Persona,
  PersonaCard,
  PersonaFile,
  PersonaVersion,
  Share,
  SharedConversation,
} from './openapi-shapes-chat.ts'
import { Rehearsed } from './openapi-shapes-owner.ts'
import { ShortPage } from './paging.ts'
import { personaFile } from './persona-file.ts'
import { ImportBody, NewPersona, ExportQuery as PersonaExport, PersonaPatch, Preview } from './personas.ts'
import { ExportQuery } from './sharing.ts'

const persona = {
  id: 'librarian',
  version: 1,
  title: 'Librarian',
  prompt: 'You are a patient librarian.',
  settings: { topK: 5 },
  collections: ['manuals'],
  tone: 'warm, in short sentences',
  greeting: { zh: '你好，我是图书管理员。', en: 'Hello, I am the librarian.' },
  refusal: null,
  answersWithoutSources: false,
}
const { version: _version, ...newPersona } = persona
const personaText = personaFile({ ...persona, version: 1 }, 'md')
const personaId = z.object({ id: z.string() })
const branch = {
  id: '55555555-5555-4555-8555-555555555555',
  title: 'Warranty',
  branchedFrom: { conversationId: '66666666-6666-4666-8666-666666666666', messageId: '77777777-7777-4777-8777-777777777777' },
  createdAt: '2026-11-21T12:00:00.000Z',
  updatedAt: '2026-11-21T12:00:00.000Z',
}
const fact = {
  id: '88888888-8888-4888-8888-888888888888',
  fact: 'The reader owns an X100.',
  answerId: '99999999-9999-4999-8999-999999999999',
  createdAt: '2026-11-21T12:00:00.000Z',
  updatedAt: '2026-11-21T12:00:00.000Z',
}
const attachment = {
  id: 'aaaaaaaa-aaaa-4aaa-8aaa-aaaaaaaaaaaa',
  name: 'contract.pdf',
  mediaType: 'application/pdf',
  pages: 3,
  characters: 5400,
  createdAt: '2026-11-21T12:00:00.000Z',
  expiresAt: '2026-11-28T12:00:00.000Z',
}
const memory = { enabled: true, learns: true, items: [fact] }
const share = { id: 'Zk3…', url: '/api/v1/shared/Zk3…', createdAt: '2026-11-21T12:00:00.000Z' }

/** Personas, and what can be done with a conversation beside talking. */
export const chatPaths: ZodOpenApiPathsObject = {
  '/api/v1/personas': {
    get: operation('Personas', {
      requestParams: { query: ShortPage },
      responses: {
        200: json(pages(PersonaCard), 'Personas', {
          items: [{ id: 'neutral', title: 'Neutral', version: 0, isDefault: true, greeting: null }],
        }),
      },
    }),
    post: operation('Add a persona', {
      security: admin,
      requestBody: body(NewPersona, newPersona),
      responses: { 201: json(ChangedPersona, 'Added', persona) },
    }),
  },
  '/api/v1/personas/{id}': {
    get: operation('A persona with its prompt', {
      security: admin,
      requestParams: { path: personaId },
      responses: { 200: json(Persona, 'The persona', persona) },
    }),
    patch: operation('Change it: a new version', {
      security: admin,
      requestParams: { path: personaId },
      requestBody: body(PersonaPatch, { prompt: 'You are a patient librarian. Be brief.', refusal: 'Ask at the desk.' }),
      responses: {
        200: json(ChangedPersona, 'The new version', {
          ...persona,
          version: 2,
          prompt: 'You are a patient librarian. Be brief.',
          refusal: 'Ask at the desk.',
        }),
      },
    }),
    delete: operation('Delete it; a shipped one comes back as it was shipped', {
      security: admin,
      requestParams: { path: personaId },
      responses: { 204: { description: 'Deleted' } },
    }),
  },
  '/api/v1/personas/{id}/export': {
    get: operation('It as a file: Markdown with front matter, or JSON', {
      security: admin,
      requestParams: { path: personaId, query: PersonaExport },
      responses: {
        200: {
          description: 'The file',
          content: { 'text/markdown': { schema: z.string(), example: personaText }, 'application/json': { schema: PersonaFile } },
        },
      },
    }),
  },
  '/api/v1/personas/import': {
    post: operation('Take over exported files: a new persona, a new version, or nothing where it is so already; all of them or none', {
      security: admin,
      requestBody: body(ImportBody, { files: [personaText] }),
      responses: {
        200: json(listed(ImportedPersona), 'What came of each', {
          items: [{ id: persona.id, version: 1, outcome: 'created' }],
        }),
      },
    }),
  },
  '/api/v1/personas/{id}/versions': {
    get: operation('Its versions, newest first; records name them', {
      security: admin,
      requestParams: { path: personaId, query: ShortPage },
      responses: {
        200: json(pages(PersonaVersion), 'Versions', { items: [{ ...persona, deleted: false, createdAt: share.createdAt }] }),
      },
    }),
  },
  '/api/v1/personas/{id}/preview': {
    post: operation('Answer a question as this persona, or as a draft of it; kept nowhere, its cost is booked', {
      security: admin,
      requestParams: { path: personaId },
      requestBody: body(Preview, { question: 'How long is the warranty?', prompt: 'You are a pirate.', tone: 'loud' }),
      responses: {
        200: json(Rehearsed, 'What it says', { state: 'done', text: 'Arr, 24 months [1].', persona: persona.id, personaVersion: 1 }),
      },
    }),
  },
  '/api/v1/conversations/{id}/attachments': {
    get: operation('Files attached to it', {
      requestParams: { path: id },
      responses: { 200: json(listed(Attachment), 'Files, all of them: at most 5', { items: [attachment] }) },
    }),
    post: operation('Attach a file: questions of this conversation search it, nobody else does', {
      requestParams: { path: id },
      requestBody: { content: { 'multipart/form-data': { schema: z.object({ file: z.string().meta({ format: 'binary' }) }) } } },
      responses: { 201: json(Attachment, 'Its text was read and can be asked about', attachment) },
    }),
  },
  '/api/v1/conversations/{id}/attachments/{attachmentId}': {
    delete: operation('Delete an attached file', {
      requestParams: { path: id.extend({ attachmentId: z.uuid() }) },
      responses: { 204: { description: 'Deleted' } },
    }),
  },
  '/api/v1/memory': {
    get: operation('What is remembered about the caller; `why` says why nothing is learned, when nothing is', {
      responses: { 200: json(Memory, 'Facts, the latest first', memory) },
    }),
    put: operation('Switch memory on or off for oneself; off keeps the facts, unused', {
      requestBody: body(MemorySwitch, { enabled: true }),
      responses: { 200: json(Memory, 'As it is now', memory) },
    }),
    delete: operation('Delete all facts', { responses: { 204: { description: 'Deleted' } } }),
  },
  '/api/v1/memory/{id}': {
    patch: operation('Correct a fact', {
      requestParams: { path: id },
      requestBody: body(MemoryFact, { fact: 'The reader owns an X200.' }),
      responses: { 200: json(Fact, 'The fact', { ...fact, fact: 'The reader owns an X200.' }) },
    }),
    delete: operation('Delete a fact', { requestParams: { path: id }, responses: { 204: { description: 'Deleted' } } }),
  },
  '/api/v1/conversations/{id}/branch': {
    post: operation('Go on from one of its messages in a conversation of its own, a copy of what was said until there', {
      requestParams: { path: id },
      requestBody: body(Branch, { messageId: branch.branchedFrom.messageId }),
      responses: { 201: json(ConversationWithMessages, 'The branch with its messages', { ...branch, messages: [] }) },
    }),
  },
  '/api/v1/conversations/{id}/branches': {
    get: operation('The tree it stands in, the root first', {
      requestParams: { path: id, query: ShortPage },
      responses: {
        200: json(pages(BranchNode), 'Conversations', {
          items: [{ ...branch, id: branch.branchedFrom.conversationId, branchedFrom: null }, branch],
        }),
      },
    }),
  },
  '/api/v1/conversations/{id}/export': {
    get: operation('A conversation as Markdown or JSON', {
      requestParams: { path: id, query: ExportQuery },
      responses: {
        200: {
          description: 'The file',
          content: {
            'text/markdown': {
              schema: z.string(),
              example: '# Warranty\n\n## How long is the warranty?\n\nThe warranty is 24 months [1].\n',
            },
            'application/json': { schema: ExportedConversation },
          },
        },
      },
    }),
  },
  '/api/v1/conversations/{id}/shares': {
    get: operation('Links to it', {
      requestParams: { path: id, query: ShortPage },
      responses: { 200: json(pages(Share), 'Links', { items: [share] }) },
    }),
    post: operation('Make a link by which anyone may read it as it is now', {
      requestParams: { path: id },
      responses: { 201: json(Share, 'The link', share) },
    }),
    delete: operation('Withdraw all links', { requestParams: { path: id }, responses: { 204: { description: 'Withdrawn' } } }),
  },
  '/api/v1/shared/{shareId}': {
    get: operation('Read a shared conversation; withheld: how many messages rest on documents that are not for this reader', {
      requestParams: { path: z.object({ shareId: z.string() }) },
      responses: {
        303: { description: 'A browser is led to the page, which shows it' },
        200: json(SharedConversation, 'What was said', {
          title: 'Warranty',
          messages: [{ role: 'question', text: 'How long is the warranty?' }],
        }),
      },
    }),
  },
}
