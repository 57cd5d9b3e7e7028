import { AppError } from '@docent/core/errors'
import { parse } from '@docent/kit/parse'
import { type Request, Router } from 'express'
import { z } from 'zod'
import { warnOfCollections } from '../clients/collections.ts'
import type { GatewayDeps } from '../deps.ts'
import { requireAdmin } from '../guard/principal.ts'
import { type Persona, patched } from '../store/personas.ts'
import { PersonaSettings, TriedSettings } from '../store/settings.ts'
import { Question } from './ask-body.ts'
import { pageOfAll, ShortPage } from './paging.ts'
import { personaFile, readPersonaFile } from './persona-file.ts'
import { refuseUnknownNames } from './settings.ts'
import { storableText } from './storable-text.ts'

const personaId = z
  .string()
  .regex(/^[a-z0-9][a-z0-9-]{0,63}$/, 'has lower-case letters, digits and hyphens')
  .meta({ description: 'Also the name of the model under /v1/models' })
const Id = z.object({ id: personaId })
const title = storableText(200)
const prompt = storableText(20_000).meta({ description: 'Who speaks, and how' })
const personaSettings = PersonaSettings.meta({ description: 'Settings that are others for this persona than for all' })
const collections = z
  .array(storableText(200))
  .min(1)
  .max(100)
  .nullable()
  .meta({ description: 'It answers from these collections only; null: from all' })
const text = storableText(1_000)
const words = z.union([text, z.strictObject({ zh: text, en: text })], 'is a text, or a text in zh and one in en').nullable()
const manner = {
  tone: storableText(500).nullable().meta({ description: 'How it speaks: one more rule for the model' }),
  greeting: words.meta({ description: 'What it says first and to a greeting: a text, or {zh, en} by the language of the question' }),
  refusal: words.meta({ description: 'What it says where the documents hold no answer: a text, or {zh, en}' }),
}
const answersWithoutSources = z
  .boolean()
  .meta({ description: 'While nothing can be searched a model answers without sources, and says so; off: the question gets an error' })
export const NewPersona = z
  .strictObject({
    id: personaId,
    title,
    prompt,
    settings: personaSettings.default({}),
    collections: collections.default(null),
    tone: manner.tone.default(null),
    greeting: manner.greeting.default(null),
    refusal: manner.refusal.default(null),
    answersWithoutSources: answersWithoutSources.default(false),
  })
  .meta({ id: 'NewPersona' })
export const PersonaPatch = z
  .strictObject({
    title: title.optional(),
    prompt: prompt.optional(),
    settings: personaSettings.optional(),
    collections: collections.optional(),
    tone: manner.tone.optional(),
    greeting: manner.greeting.optional(),
    refusal: manner.refusal.optional(),
    answersWithoutSources: answersWithoutSources.optional(),
  })
  .meta({ id: 'PersonaPatch' })
export const ExportQuery = z.strictObject({ format: z.enum(['md', 'json']).default('md') })
export const ImportBody = z
  .strictObject({
    files: z.array(z.string().max(60_000)).min(1).max(50).meta({ description: 'Texts of exported files, Markdown or JSON' }),
  })
  .meta({ id: 'PersonaImport' })
export const Preview = z
  .strictObject({
    question: Question,
    prompt: prompt.optional().meta({ description: 'A draft that is tried instead, and not kept; so are tone, greeting and refusal' }),
    tone: manner.tone.optional(),
    greeting: manner.greeting.optional(),
    refusal: manner.refusal.optional(),
    answersWithoutSources: answersWithoutSources.optional(),
    settings: TriedSettings.default({}),
  })
  .meta({ id: 'PersonaPreview' })

/** Personas: listed for all, written and tried by the owner. */
export function personasRouter(deps: GatewayDeps): Router {
  const router = Router()
  const { personas, settings } = deps
  const missing = () => new AppError('not_found', 'There is no such persona.')
  /** One that is bound to what is not there finds nothing, and its owner should know. */
  const warningsOf = async (req: Request, { collections }: Persona) => {
    const warnings = await warnOfCollections(deps, collections, req)
    return warnings.length > 0 ? { warnings } : {}
  }

  const withWarnings = async (req: Request, persona: Persona) => ({ ...persona, ...(await warningsOf(req, persona)) })

  router.get('/api/v1/personas', async (req, res) => {
    const { query } = parse({ query: ShortPage }, req)
    const current = await settings.current()
    // those that are shipped come first
    const page = pageOfAll(await personas.list(), query, ({ id }) => `${personas.isShipped(id) ? 0 : 1} ${id}`)
    res.json({
      ...page,
      items: page.items.map(({ id, title, version, greeting }) => ({
        id,
        title,
        version,
        isDefault: id === current.settings.persona,
        greeting,
      })),
    })
  })
  router.post('/api/v1/personas', requireAdmin, async (req, res) => {
    const { body } = parse({ body: NewPersona }, req)
    await refuseUnknownNames(deps, body.settings, req, 'body.settings')
    res.status(201).json(await withWarnings(req, await personas.create(body)))
  })
  // all or none: every file is read and checked before the first is written
  router.post('/api/v1/personas/import', requireAdmin, async (req, res) => {
    const { files } = parse({ body: ImportBody }, req).body
    const read = files.map((text, i) => readPersonaFile(text, NewPersona, `body.files[${i}]`, req))
    const twice = read.find(({ id }, i) => read.findIndex((other) => other.id === id) !== i)
    if (twice) throw new AppError('validation', `Two of the files are the persona "${twice.id}".`)
    for (const [i, { settings: own }] of read.entries()) await refuseUnknownNames(deps, own, req, `body.files[${i}].settings`)
    const items = []
    for (const { id, ...content } of read) {
      const { persona, outcome } = await personas.put(id, content)
      items.push({ id, version: persona.version, outcome, ...(await warningsOf(req, persona)) })
    }
    res.json({ items })
  })
  router.get('/api/v1/personas/:id/export', requireAdmin, async (req, res) => {
    const { params, query } = parse({ params: Id, query: ExportQuery }, req)
    const found = await personas.find(params.id)
    if (!found) throw missing()
    res.attachment(`${found.id}.${query.format}`)
    res.type(query.format === 'json' ? 'application/json' : 'text/markdown; charset=utf-8').send(personaFile(found, query.format))
  })
  router.get('/api/v1/personas/:id', requireAdmin, async (req, res) => {
    const found = await personas.find(parse({ params: Id }, req).params.id)
    if (!found) throw missing()
    res.json(found)
  })
  router.patch('/api/v1/personas/:id', requireAdmin, async (req, res) => {
    const { params, body } = parse({ params: Id, body: PersonaPatch }, req)
    if (body.settings) await refuseUnknownNames(deps, body.settings, req, 'body.settings')
    const changed = await personas.change(params.id, body)
    if (!changed) throw missing()
    res.json(await withWarnings(req, changed))
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
    const { params, query } = parse({ params: Id, query: ShortPage }, req)
    const items = await personas.versions(params.id)
    if (items.length === 0) throw missing()
    res.json(pageOfAll(items, query, ({ version }) => String(version).padStart(10, '0'), 'falling'))
  })
  router.post('/api/v1/personas/:id/preview', requireAdmin, async (req, res) => {
    const { params, body } = parse({ params: Id, body: Preview }, req)
    const found = await personas.find(params.id)
    if (!found) throw missing()
    const { question, settings: changes, ...draft } = body
    await refuseUnknownNames(deps, changes, req, 'body.settings')
    const now = await settings.current()
    const said = await deps.rehearsals.run(
      {
        question,
        persona: patched(found, draft),
        settings: now.settings,
        changes,
        turns: [],
      },
      req,
      res,
    )
    if (said) res.json(said)
  })
  return router
}
