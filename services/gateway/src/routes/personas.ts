import { AppError } from '@docent/core/errors'
import { parse } from '@docent/kit/parse'
import { Router } from 'express'
import { z } from 'zod'
import type { GatewayDeps } from '../deps.ts'
import { requireAdmin } from '../guard/principal.ts'
import { named, SettingsPatch } from '../store/settings.ts'
import { Question } from './ask-body.ts'
import { refuseUnknownNames } from './settings.ts'

const personaId = z
  .string()
  .regex(/^[a-z0-9][a-z0-9-]{0,63}$/, 'has lower-case letters, digits and hyphens')
  .meta({ description: 'Also the name of the model under /v1/models' })
const storable = (max: number) =>
  z
    .string()
    .trim()
    .min(1)
    .max(max)
    .refine((text) => !text.includes('\0') && text.isWellFormed(), 'cannot be stored')
const Id = z.object({ id: personaId })
const title = storable(200)
const prompt = storable(20_000).meta({ description: 'Who speaks, and how' })
export const NewPersona = z.strictObject({ id: personaId, title, prompt }).meta({ id: 'NewPersona' })
export const PersonaPatch = z.strictObject({ title: title.optional(), prompt: prompt.optional() }).meta({ id: 'PersonaPatch' })
export const Preview = z
  .strictObject({
    question: Question,
    prompt: prompt.optional().meta({ description: 'A draft that is tried instead, and not kept' }),
    settings: SettingsPatch.default({}),
  })
  .meta({ id: 'PersonaPreview' })

/** Personas: listed for all, written and tried by the owner. */
export function personasRouter(deps: GatewayDeps): Router {
  const router = Router()
  const { personas, settings } = deps
  const missing = () => new AppError('not_found', 'There is no such persona.')

  router.get('/api/v1/personas', async (_req, res) => {
    const current = await settings.current()
    res.json({
      items: (await personas.list()).map(({ id, title, version }) => ({ id, title, version, isDefault: id === current.settings.persona })),
    })
  })
  router.post('/api/v1/personas', requireAdmin, async (req, res) => {
    res.status(201).json(await personas.create(parse({ body: NewPersona }, req).body))
  })
  router.get('/api/v1/personas/:id', requireAdmin, async (req, res) => {
    const found = await personas.find(parse({ params: Id }, req).params.id)
    if (!found) throw missing()
    res.json(found)
  })
  router.patch('/api/v1/personas/:id', requireAdmin, async (req, res) => {
    const { params, body } = parse({ params: Id, body: PersonaPatch }, req)
    const changed = await personas.change(params.id, body)
    if (!changed) throw missing()
    res.json(changed)
  })
  router.delete('/api/v1/personas/:id', requireAdmin, async (req, res) => {
    const { id } = parse({ params: Id }, req).params
    const current = await settings.current()
    const isShipped = personas.isShipped(id)
    if (current.settings.persona === id && !isShipped)
      throw new AppError('conflict', 'This persona is the default; name another one in the settings first.')
    if (!(await personas.remove(id)))
      throw isShipped ? new AppError('conflict', 'This persona is as it was shipped, and stays.') : missing()
    res.status(204).end()
  })
  router.get('/api/v1/personas/:id/versions', requireAdmin, async (req, res) => {
    const items = await personas.versions(parse({ params: Id }, req).params.id)
    if (items.length === 0) throw missing()
    res.json({ items })
  })
  router.post('/api/v1/personas/:id/preview', requireAdmin, async (req, res) => {
    const { params, body } = parse({ params: Id, body: Preview }, req)
    const found = await personas.find(params.id)
    if (!found) throw missing()
    await refuseUnknownNames(deps, body.settings)
    const now = await settings.current()
    const said = await deps.rehearsals.run(
      {
        question: body.question,
        persona: body.prompt === undefined ? found : { ...found, prompt: body.prompt },
        settings: { ...now.settings, ...named(body.settings) },
        turns: [],
      },
      req,
      res,
    )
    if (said) res.json(said)
  })
  return router
}
