import { AppError } from '@docent/core/errors'
import { isStorable } from '@docent/core/text/storable'
import { parse } from '@docent/kit/parse'
import { Router } from 'express'
import { z } from 'zod'
import type { GatewayDeps } from '../deps.ts'
import { requireAdmin } from '../guard/principal.ts'
import { createPrompts } from '../store/prompts.ts'
import { pageOfAll, ShortPage } from './paging.ts'

const Id = z.object({ id: z.uuid() })
const storable = (max: number) => z.string().min(1).max(max).refine(isStorable, 'cannot be stored')
const NewPrompt = z.object({ name: storable(200), content: storable(20_000) }).meta({ id: 'NewPrompt' })
const Patch = NewPrompt.partial()

/** Named prompts, as a source system kept them: who may ask reads them, the admin key writes. */
export function promptsRouter(deps: GatewayDeps): Router {
  const router = Router()
  const prompts = createPrompts(deps.pool)
  const mayChat = deps.guards.chatting
  const missing = () => new AppError('not_found', 'There is no such prompt.')
  const [list, one] = [
    ['/prompts', '/api/v1/prompts'],
    ['/prompts/:id', '/api/v1/prompts/:id'],
  ] as const

  // they tell a model what to do: read by who may ask
  router.get([...list], mayChat, async (req, res) => {
    const { query } = parse({ query: ShortPage }, req)
    res.json(pageOfAll(await prompts.list(), query, ({ name, id }) => `${name} ${id}`))
  })
  router.post([...list], requireAdmin, async (req, res) => {
    const { body } = parse({ body: NewPrompt }, req)
    res.status(201).json(await prompts.create(body))
  })
  router.get([...one], mayChat, async (req, res) => {
    const found = await prompts.find(parse({ params: Id }, req).params.id)
    if (!found) throw missing()
    res.json(found)
  })
  for (const method of ['put', 'patch'] as const) {
    router[method]([...one], requireAdmin, async (req, res) => {
      const { params, body } = parse({ params: Id, body: method === 'put' ? NewPrompt : Patch }, req)
      const changed = await prompts.change(params.id, body)
      if (!changed) throw missing()
      res.json(changed)
    })
  }
  router.delete([...one], requireAdmin, async (req, res) => {
    if (!(await prompts.remove(parse({ params: Id }, req).params.id))) throw missing()
    res.status(204).end()
  })
  return router
}
