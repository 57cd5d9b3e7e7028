import type { Answer, CitationSpan, FinalState, Warning } from '@docent/core/answer-event'
import type { Source } from '@docent/core/passage'
import { runChecks } from '@docent/kit/health'
import { parse } from '@docent/kit/parse'
import { Router } from 'express'
import { z } from 'zod'
import type { GatewayDeps } from '../deps.ts'
import { AskBody, askerOf, askOf, Question } from './ask-body.ts'
import { refuseEmptyError, streamAnswer, wholeAnswer } from './follow.ts'
import { annotationsOf, finishReasonOf } from './openai-sources.ts'

const ChatBody = z
  .object({ message: Question, user_id: z.string().min(1).max(128).optional(), conversation_id: z.uuid().optional() })
  .meta({ id: 'ChatRequest' })

/** What the five source systems' frontends speak. */
export function compatRouter(deps: GatewayDeps): Router {
  const router = Router()

  // unnamed `data:` lines in OpenAI's chunk shape, ending in [DONE]
  router.post('/api/ask_stream', deps.guards.asking, async (req, res) => {
    const { body } = parse({ body: AskBody }, req)
    const { answerId } = await deps.answers.begin(askOf(body, req), askerOf(req))
    res.location(`/api/v1/answers/${answerId}`)
    await streamAnswer(
      req,
      res,
      deps,
      answerId,
      0,
      chunkEncoder(answerId, () => deps.answers.peek(answerId)),
    )
  })

  router.post('/chat', deps.guards.asking, async (req, res) => {
    const { body } = parse({ body: ChatBody }, req)
    const asker = askerOf(req)
    if (body.user_id && asker.principal.kind === 'anonymous')
      asker.principal = { ...asker.principal, id: `${asker.principal.id}/user:${body.user_id}` }
    const { answerId } = await deps.answers.begin({ question: body.message, conversationId: body.conversation_id }, asker)
    const answer = await wholeAnswer(deps, answerId, res)
    if (!answer) return
    refuseEmptyError(answer)
    res.json({
      response: answer.text,
      answer: answer.text,
      message: answer.text,
      user_id: body.user_id,
      conversation_id: answer.conversationId,
      sources: answer.sources,
      docent: answer,
    })
  })

  router.get('/health', async (_req, res) => {
    const { ok } = await health()
    res.status(ok ? 200 : 503).json({ status: ok ? 'ok' : 'unavailable' })
  })
  router.get(['/api/health', '/api/v1/health'], async (_req, res) => {
    const { ok, services } = await health()
    res.status(ok ? 200 : 503).json({
      status: ok ? (Object.values(services).every((state) => state === 'ok') ? 'ok' : 'degraded') : 'unavailable',
      timestamp: new Date().toISOString(),
      services,
    })
  })

  /** For the outside: names and states, no details. */
  async function health(): Promise<{ ok: boolean; services: Record<string, 'ok' | 'unavailable'> }> {
    const { checks } = await runChecks(deps.checks)
    const services = Object.fromEntries(
      Object.entries(checks).map(([name, check]) => [name, check.ok ? ('ok' as const) : ('unavailable' as const)]),
    )
    return { ok: deps.neededChecks.every((name) => checks[name]?.ok), services }
  }
  return router
}

type FinishReason = ReturnType<typeof finishReasonOf>
type Chunk = {
  choices: { index: 0; delta: { role?: 'assistant'; content?: string; annotations?: object[] }; finish_reason: null | FinishReason }[]
  usage?: object | null
  docent?: object
}

type ChunkOptions = {
  model?: string | undefined
  usageOf?: ((answer: Answer | undefined) => object) | undefined
  linkTo?: (source: Source) => string
}

/**
 * Our events as OpenAI chunks: sources and state ride as `docent` in the first and the last chunk. `model`: as the caller named it; `usageOf` asks
 * for one more chunk with tokens; `linkTo` for the sources as annotations, too, in the chunk with the finish_reason (LobeChat reads them nowhere else).
 */
export function chunkEncoder(
  answerId: string,
  peek: () => Answer | undefined,
  { model, usageOf, linkTo }: ChunkOptions = {},
): (event: { type?: string; data: unknown }) => string {
  const created = Math.floor(Date.now() / 1000)
  const frame = (chunk: Chunk) =>
    `data: ${JSON.stringify({ id: `chatcmpl-${answerId}`, object: 'chat.completion.chunk', created, model: model ?? peek()?.model ?? 'docent', ...(usageOf ? { usage: null } : {}), ...chunk })}\n\n`
  const piece = (content: string) => frame({ choices: [{ index: 0, delta: { content }, finish_reason: null }] })
  let meta: object = { answerId }
  let opened = false
  const open = (sources: unknown[]) => {
    opened = true
    return frame({ choices: [{ index: 0, delta: { role: 'assistant', content: '' }, finish_reason: null }], docent: { ...meta, sources } })
  }
  const citations: CitationSpan[] = []
  const warnings: Warning[] = []
  let sources: Source[] = []
  let text = ''
  return ({ type, data: raw }) => {
    const data = (typeof raw === 'string' ? JSON.parse(raw) : raw) as Record<string, unknown>
    if (type === 'meta') meta = data
    else if (type === 'sources') {
      sources = data.sources as Source[]
      return open(sources)
    } else if (type === 'delta') {
      text += String(data.text)
      return (opened ? '' : open([])) + piece(String(data.text))
    } else if (type === 'citation') citations.push(data as CitationSpan)
    else if (type === 'warning') warnings.push(data as Warning)
    else if (type === 'error')
      return `data: ${JSON.stringify({ error: { message: data.message, type: 'server_error', code: data.code, param: null }, docent: { ...meta, state: 'error' } })}\n\ndata: [DONE]\n\n`
    else if (type === 'done' || type === 'stopped' || type === 'interrupted') {
      const answer = peek()
      const told = warnings.length > 0 ? { warnings } : {}
      const rest = answer ? { degraded: answer.degraded, usage: answer.usage, answerable: answer.answerable } : {}
      const delta = linkTo && sources.length > 0 ? { annotations: annotationsOf({ text, sources, citations }, linkTo) } : {}
      const finish_reason = finishReasonOf({ state: type as FinalState, warnings })
      return `${opened ? '' : open([])}${frame({ choices: [{ index: 0, delta, finish_reason }], docent: { ...meta, ...data, sources, citations, ...told, ...rest } })}${usageOf ? frame({ choices: [], usage: usageOf(answer) }) : ''}data: [DONE]\n\n`
    }
    return ''
  }
}
