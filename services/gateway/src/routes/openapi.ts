import { Answer } from '@docent/core/answer-event'
import { ChunkingState } from '@docent/core/chunking'
import { DocumentState, DocumentView } from '@docent/core/document'
import { SearchRequest, SearchResponse } from '@docent/core/passage'
import { z } from 'zod'
import { createDocument, type ZodOpenApiPathsObject } from 'zod-openapi'
import { Regenerate } from './answers.ts'
import { AskBody, Rerank } from './ask-body.ts'
import { ConversationsQuery, MessagesQuery, NewConversation } from './conversations.ts'
import { chatPaths } from './openapi-chat.ts'
import { generationsPaths } from './openapi-generations.ts'
import { grouped, tags } from './openapi-groups.ts'
import { improvePaths } from './openapi-improve.ts'
import { keyPaths } from './openapi-keys.ts'
import { ownerPaths } from './openapi-owner.ts'
import { admin, answerId, body, id, json, loose, operation, pages } from './openapi-parts.ts'
import { Health, ProviderList, Stats, SystemInfo } from './openapi-shapes-access.ts'
import { ChatReply, Citation, Conversation, ConversationWithMessages, Message, Prompt, Rated, Stopped } from './openapi-shapes-chat.ts'
import { ShortPage } from './paging.ts'

const asked = { question: 'How long is the warranty?' }
const prompt = { name: 'greeting', content: 'Greet the reader.' }
const promptBody = z.object({ name: z.string(), content: z.string() })
const events = {
  description: 'Events: meta, sources, delta, citation, warning, usage, and one of done, stopped, interrupted, error',
  content: { 'text/event-stream': { schema: z.string() } },
}
const counts = z.record(z.string(), z.number().int())
const ChunkView = z
  .looseObject({
    id: z.string(),
    ordinal: z.number().int(),
    text: z.string(),
    header: z.string(),
    locator: loose,
    parent: loose,
    textHash: z.string(),
    enabled: z.boolean(),
    overridden: z.boolean(),
    original: z.string().optional(),
    cutBy: z.array(loose).optional(),
  })
  .meta({ id: 'Chunk' })
const CollectionView = z
  .object({
    name: z.string(),
    documents: counts,
    chunks: z.number().int(),
    defaults: z.object({ language: z.enum(['zh', 'en']).nullable(), chunkSize: z.number().int(), chunkOverlap: z.number().int() }),
  })
  .meta({ id: 'Collection' })
const Restless = z
  .object({ path: z.string(), since: z.iso.datetime() })
  .meta({ description: 'A file that has kept changing since then, so that it is not read' })
const IngestStatus = z
  .looseObject({
    state: z.enum(['running', 'paused']),
    reasons: z.array(z.object({ reason: z.string(), message: z.string(), since: z.iso.datetime() })),
    documents: counts,
    queue: counts.nullable(),
    filesPerSecond: z.number(),
    secondsLeft: z.number().int().nullable().meta({
      description:
        'By the chunks that are still to be made (of files not read yet, by their size) and the pace; null: not known, or paused',
    }),
    lastScan: loose.nullable(),
    pendingRemoval: z.number().int(),
    problems: z.array(z.object({ path: z.string(), message: z.string(), since: z.iso.datetime().optional() })).meta({
      description: 'Control files that cannot be followed, and (with since) files that keep changing, so that they are not read',
    }),
    generations: z
      .array(loose)
      .meta({ description: 'Generations of the index beside the one that serves, as GET /api/v1/generations shows them' }),
    chunking: ChunkingState.meta({
      description: 'What documents are cut by where no folder says otherwise, and how many are still cut otherwise',
    }),
  })
  .meta({ id: 'IngestStatus' })

const prompts: ZodOpenApiPathsObject = {
  '/prompts': {
    get: operation('Prompts', {
      requestParams: { query: ShortPage },
      responses: { 200: json(pages(Prompt), 'A page of prompts') },
    }),
    post: operation('Add a prompt', {
      security: admin,
      requestBody: body(promptBody, prompt),
      responses: { 201: json(Prompt, 'Added') },
    }),
  },
  '/prompts/{id}': {
    get: operation('A prompt', { requestParams: { path: id }, responses: { 200: json(Prompt, 'The prompt') } }),
    put: operation('Change it', {
      requestParams: { path: id },
      security: admin,
      requestBody: body(promptBody, prompt),
      responses: { 200: json(Prompt, 'The new version') },
    }),
    patch: operation('Change a part of it', {
      requestParams: { path: id },
      security: admin,
      requestBody: body(promptBody.partial(), { content: prompt.content }),
      responses: { 200: json(Prompt, 'The new version') },
    }),
    delete: operation('Delete it', { requestParams: { path: id }, security: admin, responses: { 204: { description: 'Deleted' } } }),
  },
}

const paths: ZodOpenApiPathsObject = {
  '/api/v1/ask': {
    post: operation('Ask once', {
      requestBody: body(AskBody, asked),
      responses: {
        200: {
          description: 'The answer, or its events for Accept: text/event-stream',
          content: { 'application/json': { schema: Answer }, 'text/event-stream': { schema: z.string() } },
        },
      },
    }),
  },
  '/api/v1/answers': {
    post: operation('Ask and stream', {
      requestBody: body(AskBody, asked),
      requestParams: { header: z.object({ 'Idempotency-Key': z.string().optional() }) },
      responses: {
        200: events,
        202: json(
          z.object({ id: z.uuid(), answerId: z.uuid(), conversationId: z.uuid(), eventsUrl: z.string(), answerUrl: z.string() }),
          'With async: where to follow it',
        ),
      },
    }),
  },
  '/api/v1/answers/{answerId}': {
    get: operation('An answer', { requestParams: { path: answerId }, responses: { 200: json(Answer, 'The answer as far as it is') } }),
  },
  '/api/v1/answers/{answerId}/events': {
    get: operation('Follow or resume an answer', {
      requestParams: {
        path: answerId,
        query: z.object({ after: z.string().optional() }),
        header: z.object({ 'Last-Event-ID': z.string().optional() }),
      },
      responses: { 200: events, 204: { description: 'Nothing more will come' } },
    }),
  },
  '/api/v1/answers/{answerId}/stop': {
    post: operation('Stop an answer', {
      requestParams: { path: answerId },
      responses: { 200: json(Stopped, 'It has ended'), 202: json(Stopped, 'It ends in a moment, in another process') },
    }),
  },
  '/api/v1/answers/{answerId}/regenerate': {
    post: operation('Answer the question again, in the same conversation or in a branch of it', {
      requestParams: { path: answerId },
      requestBody: body(Regenerate, { branch: true }),
      responses: { 200: events },
    }),
  },
  '/api/v1/conversations': {
    get: operation('My conversations: with X-Client-Id, a sign-in or a key; 400 for a bare address, which many may share', {
      requestParams: { query: ConversationsQuery },
      responses: { 200: json(pages(Conversation), 'A page of conversations, the latest first') },
    }),
    post: operation('Begin one before the first question, to attach files to it', {
      requestBody: body(NewConversation, { title: 'The contract' }),
      responses: {
        201: json(Conversation, 'The conversation', { id: '55555555-5555-4555-8555-555555555555', title: 'The contract' }),
      },
    }),
  },
  '/api/v1/conversations/{id}': {
    get: operation('A conversation with its first hundred messages', {
      requestParams: { path: id },
      responses: { 200: json(ConversationWithMessages, 'The conversation') },
    }),
    patch: operation('Rename it', {
      requestParams: { path: id },
      requestBody: body(z.object({ title: z.string() }), { title: 'Warranty' }),
      responses: { 200: json(Conversation, 'The conversation') },
    }),
    delete: operation('Delete it, from every store', { requestParams: { path: id }, responses: { 204: { description: 'Deleted' } } }),
  },
  '/api/v1/conversations/{id}/messages': {
    get: operation('Its messages', {
      requestParams: { path: id, query: MessagesQuery },
      responses: { 200: json(pages(Message), 'A page of messages, the oldest first') },
    }),
  },
  '/api/v1/feedback': {
    post: operation('Rate an answer', {
      requestBody: body(z.object({ answerId: z.uuid(), rating: z.literal([1, -1]), comment: z.string().optional() }), {
        answerId: '6f1c2f6e-9d0f-4a35-8a57-3d1f9a0c1b11',
        rating: 1,
      }),
      responses: { 201: json(Rated, 'Kept') },
    }),
  },
  '/api/v1/documents': {
    get: operation('Documents and their states', {
      requestParams: {
        query: z.object({
          state: DocumentState.optional(),
          path: z.string().optional().meta({ description: 'A path, or the beginning of paths: manuals/ is a folder' }),
          cursor: z.string().optional().meta({ description: 'next of the page before' }),
          limit: z.number().int().min(1).max(500).default(50),
        }),
      },
      responses: {
        200: json(
          z.object({ items: z.array(DocumentView), counts: z.record(z.string(), z.number()), next: z.string().optional() }),
          'A page of documents',
        ),
      },
    }),
    post: operation(
      'Upload documents; a name that is taken by other content is refused (409 already_exists) unless onConflict says otherwise',
      {
        security: admin,
        requestParams: {
          query: z.object({
            onConflict: z
              .enum(['refuse', 'replace', 'rename'])
              .default('refuse')
              .meta({ description: 'What is done where a name is taken by other content: nothing, its next version, or a file beside it' }),
          }),
        },
        requestBody: {
          content: {
            'multipart/form-data': {
              schema: z.object({
                file: z.string().meta({ format: 'binary' }),
                path: z.string().optional().meta({
                  description: 'Where it goes: a path in the folder, or with / at its end a folder. Default: the name of the file',
                }),
              }),
            },
          },
        },
        responses: {
          202: json(
            z.looseObject({
              paths: z.array(z.string()),
              files: z
                .array(
                  z.object({
                    path: z.string(),
                    outcome: z.enum(['created', 'replaced', 'unchanged', 'renamed']),
                    asked: z.string().optional(),
                  }),
                )
                .meta({ description: 'What became of each file; asked: the name that was taken' }),
              items: z.array(DocumentView),
              ignored: z
                .array(z.string())
                .optional()
                .meta({ description: 'Paths that .docentignore leaves out; absent when there are none' }),
            }),
            'Accepted',
            {
              paths: ['drafts/plan (2).md'],
              files: [{ path: 'drafts/plan (2).md', outcome: 'renamed', asked: 'drafts/plan.md' }],
              items: [],
              ignored: ['drafts/plan (2).md'],
            },
          ),
        },
      },
    ),
  },
  '/api/v1/documents/{id}': {
    get: operation('A document', { requestParams: { path: id }, responses: { 200: json(DocumentView, 'The document') } }),
    delete: operation('Delete it', { requestParams: { path: id }, security: admin, responses: { 204: { description: 'Deleted' } } }),
  },
  '/api/v1/documents/{id}/file': { get: operation('Its original', { requestParams: { path: id } }) },
  '/api/v1/documents/{id}/retry': { post: operation('Index it again', { requestParams: { path: id }, security: admin }) },
  '/api/v1/documents/{id}/chunks': {
    get: operation('Its chunks: text, place, parent, and edits whose source is gone', {
      requestParams: { path: id, query: z.object({ cursor: z.string().optional(), limit: z.number().int().optional() }) },
      responses: {
        200: json(z.object({ items: z.array(ChunkView), orphaned: z.array(loose), next: z.string().optional() }), 'A page of chunks'),
      },
    }),
  },
  '/api/v1/documents/{id}/chunks/{chunkId}': {
    patch: operation('Take a chunk out of search, or put a text in its place (null: the source again)', {
      security: admin,
      requestParams: { path: z.object({ id: z.uuid(), chunkId: z.string() }) },
      requestBody: body(z.object({ enabled: z.boolean().optional(), text: z.string().nullable().optional() }), { enabled: false }),
      responses: { 202: json(ChunkView, 'The chunk as it will be when its document is indexed again') },
    }),
  },
  '/api/v1/documents/{id}/chunk-edits/{sourceHash}': {
    delete: operation('Forget an edit', {
      security: admin,
      requestParams: { path: z.object({ id: z.uuid(), sourceHash: z.string() }) },
      responses: { 204: { description: 'Forgotten' } },
    }),
  },
  '/api/v1/documents/{id}/preview': {
    get: operation('What the extractor sees in the file now', {
      security: admin,
      requestParams: { path: id, query: z.object({ offset: z.number().int().optional(), limit: z.number().int().optional() }) },
    }),
  },
  '/api/v1/collections': {
    get: operation('Collections with their documents and defaults', {
      responses: { 200: json(z.object({ items: z.array(CollectionView) }), 'The collections') },
    }),
  },
  '/api/v1/documents/{id}/attempts': {
    get: operation('The attempts to index it, newest first: outcome, code, milliseconds per stage, vectors made and reused', {
      security: admin,
      requestParams: { path: id, query: z.object({ limit: z.number().int().optional() }) },
      responses: { 200: json(z.object({ items: z.array(loose) }), 'The attempts') },
    }),
  },
  '/api/v1/documents/{id}/cancel': { post: operation('Cancel its indexing', { requestParams: { path: id }, security: admin }) },
  '/api/v1/documents/retry': {
    post: operation('Index again all that failed, or what failed below a path', {
      security: admin,
      requestBody: body(z.object({ path: z.string().optional(), state: z.enum(['failed', 'skipped', 'ready']).default('failed') }), {
        path: 'manuals/',
      }),
      responses: {
        202: json(
          z.object({
            queued: z.number().int(),
            left: z
              .array(z.object({ code: z.string(), documents: z.number().int(), message: z.string() }))
              .meta({ description: 'Those that were not queued, for their files are not read: looked at again, by reason' }),
          }),
          'How many were queued, and what was not',
          {
            queued: 12,
            left: [{ code: 'too_large', documents: 1, message: 'The file is larger than 50 MB; split it, or raise MAX_FILE_MB.' }],
          },
        ),
      },
    }),
  },
  '/api/v1/documents/confirm-removal': {
    post: operation('The yes to the removal of many missing files at once', {
      security: admin,
      responses: { 200: json(z.object({ removed: z.number().int() }), 'How many were removed') },
    }),
  },
  '/api/v1/ingest': {
    get: operation('How indexing is doing: state, reasons of a pause, queue, pace, last scan, problems', {
      security: admin,
      responses: { 200: json(IngestStatus, 'The status') },
    }),
  },
  '/api/v1/ingest/pause': {
    post: operation('Take up no new work, until resumed', { security: admin, responses: { 200: json(IngestStatus, 'The status') } }),
  },
  '/api/v1/ingest/resume': {
    post: operation('Go on', { security: admin, responses: { 200: json(IngestStatus, 'The status') } }),
  },
  '/api/v1/ingest/scan': {
    post: operation('Scan the folder now, or with dryRun say what a scan would do', {
      security: admin,
      requestParams: { query: z.object({ dryRun: z.boolean().optional() }) },
    }),
  },
  '/api/v1/ingest/scans': {
    get: operation('What scans found and did, newest first', {
      security: admin,
      requestParams: {
        query: z.object({
          limit: z.number().int().optional(),
          cursor: z.string().optional().meta({ description: '`next` of the page before' }),
          dryRun: z.boolean().optional().meta({ description: 'What a scan would do now, in place of the list' }),
        }),
      },
      responses: {
        200: json(
          z.union([
            pages(loose).extend({ restless: z.array(Restless) }),
            z.looseObject({ dryRun: z.literal(true), restless: z.array(Restless) }),
          ]),
          'A page of scans, or what one would do',
        ),
      },
    }),
  },
  '/api/v1/documents/events': { get: operation('Changes of documents', { responses: { 200: events } }) },
  '/api/v1/search': {
    post: operation('Search', {
      requestBody: body(SearchRequest, { query: 'warranty', limit: 3, explain: true }),
      responses: { 200: json(SearchResponse, 'Passages') },
    }),
  },
  '/api/v1/citations/{citationId}': {
    get: operation('A citation: current, changed or gone', {
      requestParams: { path: z.object({ citationId: z.string() }) },
      responses: { 200: json(Citation, 'The passage, and whether its document still says so') },
    }),
  },
  '/api/v1/citations/{citationId}/file': {
    get: operation('The cited original', {
      requestParams: { path: z.object({ citationId: z.string() }) },
      responses: {
        200: { description: 'The file', content: { 'application/octet-stream': { schema: z.string().meta({ format: 'binary' }) } } },
      },
    }),
  },
  ...chatPaths,
  ...ownerPaths,
  ...keyPaths,
  ...improvePaths,
  ...generationsPaths,
  '/api/v1/providers': {
    get: operation('Providers of models in the order they are asked, with their state, and how much of their limits is used', {
      security: admin,
      responses: {
        200: json(ProviderList, 'Providers', {
          items: [
            {
              name: 'deepseek',
              model: 'deepseek-chat',
              address: 'api.deepseek.com',
              state: 'ready',
              calls: { answered: 9, failed: 0, skipped: 0, limited: 1 },
              limits: { requestsPerMinute: { most: 60, used: 4 }, requestsAtOnce: { most: 4, used: 1 } },
            },
          ],
        }),
      },
    }),
  },
  '/api/v1/stats': { get: operation('Counts', { responses: { 200: json(Stats, 'How much there is') } }) },
  '/api/ask_stream': {
    post: operation('Ask; events in OpenAI chunk shape, ending in [DONE]', {
      requestBody: body(AskBody, asked),
      responses: { 200: { description: 'data: lines', content: { 'text/event-stream': { schema: z.string() } } } },
    }),
  },
  '/api/ask': { post: operation('Ask once', { requestBody: body(AskBody, asked), responses: { 200: json(Answer, 'The answer') } }) },
  '/chat': {
    post: operation('Ask once, {message, user_id}', {
      requestBody: body(z.object({ message: z.string(), user_id: z.string().optional() }), {
        message: 'How long is the warranty?',
        user_id: 'ada',
      }),
      responses: { 200: json(ChatReply, 'The answer, under the names that several systems read') },
    }),
  },
  ...prompts,
  '/health': { get: operation('Well or not', { responses: { 200: json(Health.pick({ status: true }), 'Well') } }) },
  '/api/health': { get: operation('Each service', { responses: { 200: json(Health, 'Well, or degraded') } }) },
  '/api/stats': { get: operation('Counts', { responses: { 200: json(Stats, 'How much there is') } }) },
  '/system/info': { get: operation('What runs', { responses: { 200: json(SystemInfo, 'What runs') } }) },
  '/v1/models': { get: operation('Personas as OpenAI models', {}) },
  '/v1/models/{model}': {
    get: operation('One of them', { requestParams: { path: z.object({ model: z.string().meta({ example: 'neutral' }) }) } }),
  },
  '/v1/chat/completions': {
    post: operation(
      'OpenAI chat completions over the documents, the sources as annotations; where no key is needed, a placeholder for one (none, EMPTY) is taken for none',
      {
        requestBody: body(
          z.looseObject({
            model: z.string().optional(),
            messages: z.array(loose),
            stream: z.boolean().optional(),
            stream_options: z.looseObject({ include_usage: z.boolean().optional() }).optional(),
            rerank: Rerank.optional(),
          }),
          {
            messages: [{ role: 'user', content: 'How long is the warranty?' }],
          },
        ),
      },
    ),
  },
}

/** What is also answered at a second address. */
const aliases = {
  '/api/v1/health': '/api/health',
  '/api/v1/system/info': '/system/info',
  '/api/v1/prompts': '/prompts',
  '/api/v1/prompts/{id}': '/prompts/{id}',
}
for (const [alias, path] of Object.entries(aliases)) paths[alias] = { ...paths[path] }

/** OpenAPI 3.1 from the schemas the routes parse with. */
export function openApiDocument(): object {
  return createDocument({
    openapi: '3.1.0',
    info: {
      title: 'Docent',
      version: '0.1.0',
      description: 'Chat over a folder of documents, with citations that can be checked',
      license: { name: 'MIT', identifier: 'MIT' },
    },
    servers: [{ url: '/' }],
    components: { securitySchemes: { bearer: { type: 'http', scheme: 'bearer' } } },
    tags,
    paths: grouped(paths),
  })
}
