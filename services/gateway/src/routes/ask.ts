import { parse } from '@docent/kit/parse'
import { Router } from 'express'
import type { GatewayDeps } from '../deps.ts'
import { AskBody, askerOf, askOf } from './ask-body.ts'
import { refuseEmptyError, streamAnswer, wholeAnswer } from './follow.ts'

/** One shot: the whole answer as JSON, or its events for a caller that accepts them. */
export function askRouter(deps: GatewayDeps): Router {
  const router = Router()
  router.post(['/api/v1/ask', '/api/ask'], deps.guards.asking, async (req, res) => {
    const { body } = parse({ body: AskBody }, req)
    const { answerId } = await deps.answers.begin(askOf(body, req), askerOf(req))
    res.vary('accept').location(`/api/v1/answers/${answerId}`)
    if (body.stream === true || req.accepts(['application/json', 'text/event-stream']) === 'text/event-stream') {
      return streamAnswer(req, res, deps, answerId)
    }
    const answer = await wholeAnswer(deps, answerId, res)
    if (!answer) return
    refuseEmptyError(answer)
    res.json(answer)
  })
  return router
}
