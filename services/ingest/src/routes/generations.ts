import { setTimeout as sleep } from 'node:timers/promises'
import { AppError } from '@docent/core/errors'
import type { Corpus, GenerationRow } from '@docent/corpus/corpus'
import { refuseBegun } from '@docent/corpus/generations'
import { principalOf } from '@docent/kit/internal'
import { parse } from '@docent/kit/parse'
import type { EmbeddingModels } from '@docent/models/embedder'
import { type Request, Router } from 'express'
import { z } from 'zod'
import type { Events } from '../events.ts'
import { estimate, findOffered } from '../generations/estimate.ts'
import type { Filler } from '../generations/fill-generations.ts'
import { isPausing } from '../pauses.ts'

type Deps = { corpus: Corpus; models: EmbeddingModels; events: Events; filler: Filler; densePending: () => void }

const Id = z.object({ id: z.coerce.number().int().min(1).max(2_000_000_000) })
const Begin = {
  body: z.strictObject({ model: z.string().min(1).max(250) }),
  query: z.strictObject({ dryRun: z.enum(['true', 'false', '1', '0']).default('false') }),
}
const Activate = z.strictObject({ force: z.boolean().default(false) })
const Verdict = z.looseObject({ passed: z.boolean() })
const LIST_MS = 4_000
const FEW = 256
const CATCH_UP_MS = 15_000

/** The generations of the index: build one beside the one that serves, switch, go back, give up. */
export function generationsRouter({ corpus, models, events, filler, densePending }: Deps): Router {
  const router = Router()
  const views = { corpus, events }

  router.get('/generations', async (req, res) => {
    requireAdmin(req)
    // without the embedder the generations are there all the same
    const offered = await models.list(AbortSignal.timeout(LIST_MS)).catch((error: Error) => error)
    res.json({
      items: await Promise.all((await corpus.listGenerations()).map((row) => viewOf(row, views))),
      models: offered instanceof Error ? [] : offered,
      ...(offered instanceof Error ? { modelsProblem: offered.message } : {}),
    })
  })
  router.post('/generations', async (req, res) => {
    const principal = requireAdmin(req)
    const { body, query } = parse(Begin, req)
    const offered = await findOffered(models, body.model, AbortSignal.timeout(LIST_MS))
    refuseBegun(await corpus.listGenerations(), body.model) // before anything is asked of the model
    const cost = await estimate(offered, { corpus, models })
    if (query.dryRun === 'true' || query.dryRun === '1')
      return void res.json({ dryRun: true, model: body.model, dimension: offered.dimension, estimate: cost })
    const row = await corpus.beginGeneration(body.model, offered.dimension, principal.id)
    void filler.look().catch(() => undefined) // its loop says what is wrong
    res.status(202).json({ ...(await viewOf(row, views)), estimate: cost })
  })
  router.post('/generations/rollback', async (req, res) => {
    requireAdmin(req)
    const [standby] = (await corpus.listGenerations())
      .filter(({ state }) => state === 'standby')
      .sort((a, b) => Number(b.activatedAt !== null) - Number(a.activatedAt !== null) || (a.activatedAt! < b.activatedAt! ? 1 : -1))
    if (!standby) throw new AppError('conflict', 'No generation stands by to go back to.')
    // whoever goes back is in trouble: what is missing follows while it serves
    res.json(await activate(standby.id, true))
  })
  router.get('/generations/:id', async (req, res) => {
    requireAdmin(req)
    res.json(await viewOf(await find(req), views))
  })
  router.put('/generations/:id/gate', async (req, res) => {
    requireAdmin(req)
    const { id } = await find(req)
    await corpus.saveGate(id, parse({ body: Verdict }, req).body)
    res.json(await viewOf((await corpus.findGeneration(id))!, views))
  })
  router.post('/generations/:id/activate', async (req, res) => {
    requireAdmin(req)
    const { body } = parse({ body: Activate }, req)
    const { id, state, model } = await find(req)
    // a document that came a moment ago is no reason to refuse
    if (state !== 'active' && !body.force && (await corpus.countTexts(model)).missing <= FEW)
      await Promise.race([filler.look().catch(() => undefined), sleep(CATCH_UP_MS)])
    res.json(await activate(id, body.force))
  })
  router.delete('/generations/:id', async (req, res) => {
    requireAdmin(req)
    await corpus.dropGeneration((await find(req)).id)
    res.status(204).end()
  })
  return router

  async function activate(id: number, force: boolean) {
    const { model } = (await corpus.findGeneration(id)) ?? {}
    // questions would have no vectors, and the configured model would take over again
    const offered = await models.list(AbortSignal.timeout(LIST_MS))
    if (!offered.some((one) => one.model === model))
      throw new AppError('conflict', `The embedder does not serve "${model}" (any more): set EMBEDDINGS_NEXT_* to it first.`)
    const row = await corpus.activateGeneration(id, { force })
    events.generationActivated(row)
    densePending()
    return viewOf(row, views)
  }

  async function find(req: Request): Promise<GenerationRow> {
    const row = await corpus.findGeneration(parse({ params: Id }, req).params.id)
    if (!row) throw new AppError('not_found', 'There is no such generation.')
    return row
  }
}

function requireAdmin(req: Request) {
  const principal = principalOf(req)
  if (!principal.scopes.includes('admin')) throw new AppError('forbidden', 'Generations are for the admin key.')
  return principal
}

/** A generation with how far it is. */
export async function viewOf(
  row: GenerationRow,
  { corpus, events }: { corpus: Pick<Corpus, 'countTexts'>; events: Pick<Events, 'pauses'> },
) {
  const { chromaCollection: _, isCompared, busyMs, embedded, ...same } = row
  const { texts, missing } = await corpus.countTexts(row.model)
  const waiting = row.state === 'retired' || missing === 0 ? [] : events.pauses().filter(({ reason }) => isPausing(reason))
  const isStuck = waiting.length > 0 || row.problem !== null || row.state === 'retired' || embedded === 0
  return {
    ...same,
    // the dense index of the one that serves is kept by indexing, never compared by a build
    isComplete: missing === 0 && (isCompared || row.state === 'active'),
    texts,
    missing,
    progress: texts === 0 ? 1 : Math.floor((1_000 * (texts - missing)) / texts) / 1_000,
    secondsLeft: missing === 0 ? 0 : isStuck ? null : Math.ceil((missing * busyMs) / embedded / 1000),
    waiting,
  }
}
