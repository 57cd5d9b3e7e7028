import { AppError } from '@docent/core/errors'
import { parse } from '@docent/kit/parse'
import { type Request, Router } from 'express'
import { z } from 'zod'
import { MAX_FACT } from '../answer/remember.ts'
import type { GatewayDeps } from '../deps.ts'
import { isKnowable } from '../guard/principal.ts'
import { storableText } from './storable-text.ts'

const Id = z.object({ id: z.uuid() })
export const MemorySwitch = z.strictObject({ enabled: z.boolean() }).meta({ id: 'MemorySwitch' })
export const MemoryFact = z
  .strictObject({ fact: storableText(MAX_FACT).transform((text) => text.replace(/\s+/g, ' ')) })
  .meta({ id: 'MemoryFact' })

const missing = () => new AppError('not_found', 'There is no such fact.')

/** What is kept about the caller himself; that of others looks as if it were not there. Deleting works also while memory is switched off. */
export function memoryRouter(deps: GatewayDeps): Router {
  const router = Router()
  const { memories, config, providers } = deps
  const mayChat = deps.guards.chatting

  // why nothing is learned for this caller, when nothing is
  function whyNot(req: Request, enabled: boolean): 'switched_off' | 'unknown_reader' | 'not_enabled' | 'no_model' | undefined {
    if (!config.features.memory) return 'switched_off'
    if (!isKnowable(req.principal.id)) return 'unknown_reader'
    if (!enabled) return 'not_enabled'
    return providers.length === 0 ? 'no_model' : undefined
  }
  function readerOf(req: Request): string {
    if (!isKnowable(req.principal.id))
      throw new AppError('bad_request', 'Memory is kept for a reader that can be told from others: send X-Client-Id or a key.')
    return req.principal.id
  }
  function mustBeOn(): void {
    if (!config.features.memory) throw new AppError('conflict', 'Memory is switched off here (MEMORY_ENABLED).')
  }

  async function show(req: Request) {
    const { id } = req.principal
    const [enabled, items] = isKnowable(id) ? await Promise.all([memories.isEnabled(id), memories.list(id)]) : [false, []]
    const why = whyNot(req, enabled)
    return { enabled, learns: why === undefined, ...(why ? { why } : {}), items }
  }

  router.get('/api/v1/memory', mayChat, async (req, res) => void res.json(await show(req)))
  router.put('/api/v1/memory', deps.guards.keeping, async (req, res) => {
    const { body } = parse({ body: MemorySwitch }, req)
    const reader = readerOf(req)
    if (body.enabled) mustBeOn()
    await memories.enable(reader, body.enabled)
    res.json(await show(req))
  })
  router.delete('/api/v1/memory', mayChat, async (req, res) => {
    await memories.removeAll(readerOf(req))
    res.status(204).end()
  })
  router.patch('/api/v1/memory/:id', mayChat, async (req, res) => {
    const { params, body } = parse({ params: Id, body: MemoryFact }, req)
    const edited = await memories.edit(readerOf(req), params.id, body.fact)
    if (!edited) throw missing()
    res.json(edited)
  })
  router.delete('/api/v1/memory/:id', mayChat, async (req, res) => {
    const { params } = parse({ params: Id }, req)
    if (!(await memories.remove(readerOf(req), params.id))) throw missing()
    res.status(204).end()
  })
  return router
}
