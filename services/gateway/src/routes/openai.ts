import type { Answer } from '@docent/core/answer-event'
import { AppError } from '@docent/core/errors'
import type { Problem } from '@docent/kit/http-app'
import { parse } from '@docent/kit/parse'
import { type Request, Router } from 'express'
import { z } from 'zod'
import { estimateTokens } from '../answer/tokens.ts'
import type { GatewayDeps } from '../deps.ts'
import { askerOf, Question, Rerank } from './ask-body.ts'
import { chunkEncoder } from './compat.ts'
import { refuseEmptyError, streamAnswer, wholeAnswer } from './follow.ts'
import { annotationsOf, finishReasonOf, linksFor } from './openai-sources.ts'

const Part = z.looseObject({ type: z.string(), text: z.string().optional() })
const Message = z.looseObject({
  role: z.enum(['system', 'developer', 'user', 'assistant', 'tool', 'function']),
  content: z.union([z.string(), z.array(Part).max(100), z.null()]).optional(),
})
const spoken = new Set(['user', 'assistant'])
const textParts = new Set(['text', 'input_text', 'output_text', 'refusal'])
const tokens = z.number().int().min(1).max(1_000_000).nullish()
const Completion = z
  .looseObject({
    model: z.string().max(200).optional(),
    messages: z.array(Message).min(1).max(2_000),
    stream: z.boolean().nullish(),
    stream_options: z.looseObject({ include_usage: z.boolean().nullish() }).nullish(),
    // what the settings decide here; a value no model takes is refused all the same
    temperature: z.number().min(0).max(2).nullish(),
    top_p: z.number().min(0).max(1).nullish(),
    max_tokens: tokens,
    max_completion_tokens: tokens,
    n: z.literal(1).nullish(),
    // a caller who needs these would take text for something else
    response_format: z
      .looseObject({ type: z.literal('text', 'asks for what is not written here: answers are text; leave it out') })
      .nullish(),
    tool_choice: z.enum(['none', 'auto'], 'asks for a tool: those of a caller are not called; leave it out').nullish(),
    // not OpenAI's: its clients send it as a field of `extra_body`
    rerank: Rerank.nullish(),
  })
  .superRefine(({ messages }, context) => {
    const at = messages.findLastIndex(({ role }) => spoken.has(role))
    const last = messages[at]
    const refuse = (path: (string | number)[], message: string) =>
      context.addIssue({ code: 'custom', path: ['messages', ...path], message })
    if (last?.role !== 'user') return refuse([], 'must end with a message of the user: it is the question')
    const isText = !Array.isArray(last.content) || last.content.every(({ type }) => textParts.has(type))
    if (!isText) return refuse([at, 'content'], 'holds a picture, a sound or a file: these are not looked at here, ask in words')
    for (const { message } of Question.safeParse(textOf(last.content)).error?.issues ?? []) refuse([at, 'content'], message)
  })

/** What OpenAI's clients look for in an error; they show nothing else of it. */
export function openAiError({ status, code, detail, errors }: Problem, { path }: Pick<Request, 'path'>): object {
  if (!path.startsWith('/v1/')) return {}
  const types: { [status in number]?: string } = { 401: 'authentication_error', 403: 'permission_error', 429: 'rate_limit_error' }
  const type = types[status] ?? (status < 500 ? 'invalid_request_error' : 'server_error')
  const param = errors?.[0]?.path.replace(/^body\./, '') ?? null
  return { error: { message: detail, type, code, param } }
}

/** OpenAI's surface: personas are models, the last user message is the question. */
export function openAiRouter(deps: GatewayDeps): Router {
  const router = Router()
  const created = Math.floor(deps.startedAt.getTime() / 1000)
  const modelOf = ({ id }: { id: string }) => ({ id, object: 'model', created, owned_by: 'docent' })

  router.get('/v1/models', async (_req, res) => {
    res.json({ object: 'list', data: (await deps.personas.list()).map(modelOf) })
  })

  router.get('/v1/models/:model', async (req, res) => {
    const { model } = req.params
    const persona = (await deps.personas.list()).find(({ id }) => id === model)
    if (!persona) throw new AppError('not_found', `There is no model "${model}"; GET /v1/models lists them.`)
    res.json(modelOf(persona))
  })

  router.post('/v1/chat/completions', deps.guards.asking, async (req, res) => {
    const { body } = parse({ body: Completion }, req)
    const turns = body.messages
      .filter(({ role }) => spoken.has(role))
      .map(({ role, content }) => ({ role: role === 'user' ? ('question' as const) : ('answer' as const), text: textOf(content) }))
    const question = Question.parse(turns.pop()?.text)
    const asked = body.messages.map(({ content }) => textOf(content)).join('\n')
    // where no model was asked nothing was used: what it would be is estimated, for clients that count
    const usageOf = (answer: Answer | undefined) => {
      const { inputTokens = 0, outputTokens = 0 } = answer?.usage ?? {}
      const isCounted = inputTokens + outputTokens > 0
      const prompt_tokens = isCounted ? inputTokens : estimateTokens(asked)
      const completion_tokens = isCounted ? outputTokens : estimateTokens(answer?.text ?? '')
      return { prompt_tokens, completion_tokens, total_tokens: prompt_tokens + completion_tokens }
    }
    const persona = (await deps.personas.list()).find(({ id }) => id === body.model)?.id
    const { answerId } = await deps.answers.begin(
      // no client of OpenAI's can come back to an answer that it left
      { question, persona, turns, rerank: body.rerank ?? undefined, onDisconnect: 'stop' },
      askerOf(req),
    )
    const linkTo = linksFor(req, deps.config.http.publicUrl)
    if (body.stream)
      return streamAnswer(
        req,
        res,
        deps,
        answerId,
        0,
        chunkEncoder(answerId, () => deps.answers.peek(answerId), {
          model: body.model,
          usageOf: body.stream_options?.include_usage ? usageOf : undefined,
          linkTo,
        }),
      )
    const answer = await wholeAnswer(deps, answerId, res)
    if (!answer) return
    refuseEmptyError(answer)
    const message = { role: 'assistant', content: answer.text, annotations: annotationsOf(answer, linkTo) }
    res.json({
      id: `chatcmpl-${answerId}`,
      object: 'chat.completion',
      created: Math.floor(Date.now() / 1000),
      model: body.model ?? answer.model,
      choices: [{ index: 0, message, finish_reason: finishReasonOf(answer) }],
      usage: usageOf(answer),
      docent: answer,
    })
  })
  return router
}

function textOf(content: z.infer<typeof Message>['content']): string {
  if (typeof content === 'string') return content
  return (content ?? []).map((part) => part.text ?? '').join('')
}
