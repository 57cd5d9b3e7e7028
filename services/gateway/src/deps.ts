import type { Check } from '@docent/kit/health'
import type { Log } from '@docent/kit/logger'
import type { Pool } from '@docent/kit/postgres'
import type { Redis } from '@docent/kit/redis'
import type { RequestHandler } from 'express'
import type { Answers } from './answer/answer.ts'
import type { Provider } from './answer/providers.ts'
import type { Rehearsals } from './answer/rehearsal.ts'
import type { ChunkingDoor } from './clients/chunking.ts'
import type { RetrievalClient } from './clients/retrieval-client.ts'
import type { Config } from './config.ts'
import type { SignIn } from './guard/sign-in.ts'
import type { AnswerCache } from './store/answer-cache.ts'
import type { ApiKeys } from './store/api-keys.ts'
import type { Attachments } from './store/attachments.ts'
import type { Citations } from './store/citations.ts'
import type { Conversations } from './store/conversations.ts'
import type { GoldenStore } from './store/golden.ts'
import type { Memories } from './store/memories.ts'
import type { Messages } from './store/messages.ts'
import type { Personas } from './store/personas.ts'
import type { Records } from './store/records.ts'
import type { SavedAnswers } from './store/saved-answers.ts'
import type { SettingsStore } from './store/settings.ts'
import type { UsageStore } from './store/usage.ts'
import type { StreamLog } from './stream/stream-log.ts'

/** What routes may reach. */
export type GatewayDeps = {
  config: Config
  log: Log
  pool: Pool
  queue: Redis
  answers: Answers
  providers: readonly Provider[]
  retrieval: RetrievalClient
  answerCache: AnswerCache
  rehearsals: Rehearsals
  streams: StreamLog
  messages: Messages
  conversations: Conversations
  attachments: Attachments
  memories: Memories
  records: Records
  citations: Citations
  personas: Personas
  settings: SettingsStore
  chunking: ChunkingDoor
  usage: UsageStore
  keys: ApiKeys
  saved: SavedAnswers
  golden: GoldenStore
  checks: Record<string, Check>
  neededChecks: readonly string[]
  /** asking is chatting plus the rate limit of questions, keeping that of what is kept without one */
  guards: { asking: RequestHandler; keeping: RequestHandler; chatting: RequestHandler; reading: RequestHandler; uploading: RequestHandler }
  signIn: SignIn
  startedAt: Date
}
