import { Router } from 'express'

/** Who the caller is taken for: what a page shows, and the first thing to look at when a right is missing. */
export function meRouter(): Router {
  const router = Router()
  router.get('/api/v1/me', (req, res) => {
    const { id, kind, scopes, groups = [], collections, limits } = req.principal
    res.json({ id, kind, scopes, groups, ...(collections ? { collections } : {}), ...(limits ? { limits } : {}) })
  })
  return router
}
