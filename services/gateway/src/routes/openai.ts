import { AppError } from '@docent/core/errors'
import { parse } from '@docent/kit/parse'
import { Router } from 'express'
import { z } from 'zod'
import type { GatewayDeps } from '../deps.ts'
import { askerOf, Question, Rerank } from './ask-body.ts'
import { chunkEncoder } from './compat.ts'
import { refuseEmptyError, streamAnswer, wholeAnswer } from './follow.ts'

const Part = z.looseObject({ type: z.string(), text: z.string().optional() })
const Message = z.looseObject({
  role: z.enum(['system', 'developer', 'user', 'assistant', 'tool']),
  content: z.union([z.string(), z.array(Part).max(100), z.null()]).optional(),
})
const tokens = z.number().int().min(1).max(1_000_000).nullish()
const Completion = z.looseObject({
  model: z.string().max(200).optional(),
  messages: z.array(Message).min(1).max(500),
  stream: z.boolean().nullish(),
  // what the settings decide here; a value no model takes is refused all the same
  temperature: z.number().min(0).max(2).nullish(),
  top_p: z.number().min(0).max(1).nullish(),
  max_tokens: tokens,
  max_completion_tokens: tokens,
  n: z.literal(1).nullish(),
  // not OpenAI's: its clients send it as a field of `extra_body`
  rerank: Rerank.nullish(),
})

/** OpenAI's surface: personas are models, the last user message is the question. */
export function openAiRouter(deps: GatewayDeps): Router {
  const router = Router()

  router.get('/v1/models', async (_req, res) => {
    const created = Math.floor(deps.startedAt.getTime() / 1000)
    const personas = await deps.personas.list()
    res.json({ object: 'list', data: personas.map(({ id }) => ({ id, object: 'model', created, owned_by: 'docent' })) })
  })

  router.post('/v1/chat/completions', deps.guards.asking, async (req, res) => {
    const { body } = parse({ body: Completion }, req)
    const turns = body.messages
      .filter(({ role }) => role === 'user' || role === 'assistant')
      .map(({ role, content }) => ({ role: role === 'user' ? ('question' as const) : ('answer' as const), text: textOf(content) }))
    const last = turns.pop()
    const question = Question.safeParse(last?.role === 'question' ? last.text : '')
    if (!question.success)
      throw new AppError('validation', 'The last message must be a user message with text of at most 4,000 characters.')
    const persona = (await deps.personas.list()).find(({ id }) => id === body.model)?.id
    const { answerId } = await deps.answers.begin(
      { question: question.data, persona, turns, rerank: body.rerank ?? undefined },
      askerOf(req),
    )
    if (body.stream)
      return streamAnswer(
        req,
        res,
        deps,
        answerId,
        0,
        chunkEncoder(answerId, () => deps.answers.peek(answerId)),
      )
    const answer = await wholeAnswer(deps, answerId, res)
    if (!answer) return
    refuseEmptyError(answer)
    const annotations = answer.citations.map((span) => {
      const source = answer.sources.find(({ n }) => n === span.source)
      return {
        type: 'url_citation',
        url_citation: {
          start_index: span.start,
          end_index: span.end,
          title: source?.title ?? '',
          url: `/api/v1/citations/${source?.citationId}/file`,
        },
      }
    })
    res.json({
      id: `chatcmpl-${answerId}`,
      object: 'chat.completion',
      created: Math.floor(Date.now() / 1000),
      model: body.model ?? answer.model,
      choices: [{ index: 0, message: { role: 'assistant', content: answer.text, annotations }, finish_reason: 'stop' }],
      usage: {
        prompt_tokens: answer.usage.inputTokens,
        completion_tokens: answer.usage.outputTokens,
        total_tokens: answer.usage.inputTokens + answer.usage.outputTokens,
      },
      docent: answer,
    })
  })
  return router
}

function textOf(content: z.infer<typeof Message>['content']): string {
  if (typeof content === 'string') return content
  return (content ?? []).map((part) => part.text ?? '').join('')
}
