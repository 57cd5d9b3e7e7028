import { AppError } from '@docent/core/errors'
import { SearchRequest, SentencesRequest } from '@docent/core/passage'
import type { Principal } from '@docent/core/principal'
import { principalOf } from '@docent/kit/internal'
import { parse } from '@docent/kit/parse'
import { type Request, type Response, Router } from 'express'
import { rightsOf } from '../search/allowed.ts'
import { scoreSentences } from '../search/score-sentences.ts'
import { type SearchDeps, search } from '../search/search.ts'

export function searchRouter(deps: SearchDeps & { isLoaded: () => boolean }): Router {
  const router = Router()

  router.post('/search', async (req, res) => {
    const { body } = parse({ body: SearchRequest }, req)
    const principal = readPrincipal(req)
    if (body.generation !== undefined && !principal.scopes.includes('admin'))
      throw new AppError('forbidden', 'Only the admin key searches another generation than the one that serves.')
    requireIndex()
    res.json(await search(body, deps, { principal, requestId: req.requestId, signal: leaving(res) }))
  })

  router.post('/sentences', async (req, res) => {
    const { body } = parse({ body: SentencesRequest }, req)
    const principal = readPrincipal(req)
    requireIndex()
    const words = () => deps.index.seenBy(rightsOf(principal, deps.index.isRestricted))
    res.json(await scoreSentences(body, { ...deps, words }, leaving(res)))
  })

  function requireIndex(): void {
    if (!deps.isLoaded()) throw new AppError('unavailable', 'The index is being loaded; try again in a moment.', { retryAfterS: 2 })
  }

  return router
}

function readPrincipal(req: Request): Principal {
  try {
    return principalOf(req)
  } catch (cause) {
    throw cause instanceof AppError ? cause : new AppError('bad_request', 'The principal is not understood.', { cause })
  }
}

function leaving(res: Response): AbortSignal {
  const left = new AbortController()
  res.on('close', () => {
    if (!res.writableFinished) left.abort()
  })
  return left.signal
}
