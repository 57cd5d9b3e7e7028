import type { ZodOpenApiPathsObject } from 'zod-openapi'

/** An operation stands in the first group whose pattern its path matches. */
const groups: [name: string, description: string, path: RegExp][] = [
  ['Asking', 'Answers: at once, as a stream, or begun now and read later', /^\/api\/v1\/(ask|answers)/],
  ['Sources', 'Citations, documents and search', /^\/api\/v1\/(citations|documents|collections|search)/],
  ['Indexing', 'How indexing is doing: state, pauses, scans; another embedding model', /^\/api\/v1\/(ingest|generations)/],
  [
    'Conversations',
    'One’s own conversations, by X-Client-Id or key, and the rating of answers',
    /^\/api\/v1\/(conversations|feedback|shared)/,
  ],
  ['Memory', 'What is remembered about the caller, where MEMORY_ENABLED and he allow it', /^\/api\/v1\/memory/],
  ['Prompts', 'Named prompts', /^(\/api\/v1)?\/prompts/],
  ['State', 'What runs and how well, and who one is', /\/(health|stats|info|me)$/],
  ['OpenAI', 'For clients that speak OpenAI', /^\/v1\//],
  ['Other clients', 'Shapes that frontends of other systems speak', /^\/(api\/ask|chat)/],
  ['Owner', 'Records, settings, keys, personas, gaps and use; mostly with the admin key', /^\/api\/v1\//],
]

/** Where it matters who asks. */
const personal = new Set(['Asking', 'Conversations', 'Memory', 'OpenAI', 'Other clients'])
const clientId = {
  name: 'X-Client-Id',
  in: 'header',
  description: 'Whose it is, where nobody signs in and no key is sent: an id of the caller’s own making',
  schema: { type: 'string', pattern: '^[\\w.:-]{1,128}$' },
  example: '3f0c9a52-7d1e-4b0e-9d7c-5a6b1e2f4c88',
}

export const tags = groups.map(([name, description]) => ({ name, description }))

/** The paths, each operation in its group, with what those of the group take. */
export function grouped(all: ZodOpenApiPathsObject): ZodOpenApiPathsObject {
  return Object.fromEntries(
    Object.entries(all).map(([path, methods]) => {
      const group = groups.find(([, , matches]) => matches.test(path))![0]
      const more = { tags: [group], ...(personal.has(group) ? { parameters: [clientId] } : {}) }
      return [path, Object.fromEntries(Object.entries(methods).map(([method, one]) => [method, { ...(one as object), ...more }]))]
    }),
  )
}
