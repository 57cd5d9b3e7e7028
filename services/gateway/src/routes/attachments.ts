import { AppError } from '@docent/core/errors'
import { parse } from '@docent/kit/parse'
import { type Request, Router } from 'express'
import { z } from 'zod'
import { readFileOf } from '../clients/read-file.ts'
import type { GatewayDeps } from '../deps.ts'
import { tooMany } from '../store/attachments.ts'
import { forgetAnswers } from './forget.ts'

const Id = z.object({ id: z.uuid() })
const Attachment = z.object({ id: z.uuid(), attachmentId: z.uuid() })
const missing = () => new AppError('not_found', 'There is no such conversation.')
const MAX_CHUNKS = 300 // of one file: about 150,000 characters

/** Files of one's own conversation: taken, listed, deleted. Searched by questions of that conversation only. */
export function attachmentsRouter(deps: GatewayDeps): Router {
  const router = Router()
  const { attachments, conversations, config, guards } = deps
  const { days, maxBytes, most } = config.attachments

  async function own(req: Request): Promise<string> {
    const { params } = parse({ params: Id }, req)
    if (!(await conversations.find(params.id, req.principal.id))) throw missing()
    return params.id
  }

  router.post('/api/v1/conversations/:id/attachments', guards.asking, async (req, res) => {
    const refuse = (error: AppError): never => {
      req.resume() // what is not read would hold the answer back
      throw error
    }
    const id = await own(req).catch(refuse)
    if (days === 0) refuse(new AppError('conflict', 'Attachments are switched off here (ATTACHMENT_DAYS).'))
    if ((await attachments.list(id)).length >= most) refuse(tooMany(most))
    const { ingest, internalToken } = config.neighbours
    const file = await readFileOf(req, ingest, internalToken, { maxBytes, maxChunks: MAX_CHUNKS })
    res.status(201).json(await attachments.add(id, file))
  })
  router.get('/api/v1/conversations/:id/attachments', guards.chatting, async (req, res) => {
    res.json({ items: await attachments.list(await own(req)) })
  })
  router.delete('/api/v1/conversations/:id/attachments/:attachmentId', guards.chatting, async (req, res) => {
    const id = await own(req)
    const { params } = parse({ params: Attachment }, req)
    const answers = await attachments.remove(id, params.attachmentId)
    if (!answers) throw new AppError('not_found', 'There is no such attachment.')
    await forgetAnswers(deps, answers)
    res.status(204).end()
  })
  return router
}
