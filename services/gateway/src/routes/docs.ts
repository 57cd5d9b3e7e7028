import { createRequire } from 'node:module'
import { dirname } from 'node:path'
import express, { Router } from 'express'
import { csp } from '../guard/headers.ts'
import { openApiDocument } from './openapi.ts'

const require = createRequire(import.meta.url)
const assets = dirname(require.resolve('swagger-ui-dist/package.json'))

const page = `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Docent API</title><meta name="viewport" content="width=device-width,initial-scale=1">
<link rel="icon" href="/icon.svg" type="image/svg+xml"><link rel="stylesheet" href="/docs/swagger-ui.css"></head><body><div id="swagger-ui"></div>
<script src="/docs/swagger-ui-bundle.js"></script><script src="/docs/init.js"></script></body></html>`
const init = `SwaggerUIBundle({ url: '/openapi.json', dom_id: '#swagger-ui', deepLinking: true, validatorUrl: null, defaultModelsExpandDepth: 0, displayRequestDuration: true })`
// swagger-ui sets style attributes and data: icons; its scripts are files
const docsCsp = csp.replace("style-src 'self'", "style-src 'self' 'unsafe-inline'")

/** The API's description and a page to read and try it, both public, nothing loaded from elsewhere. */
export function docsRouter(): Router {
  const router = Router()
  let json: string | undefined
  router.get(['/openapi.json', '/api/openapi.json'], (_req, res) => {
    json ??= JSON.stringify(openApiDocument())
    res.type('application/json').send(json)
  })
  router.use('/docs', (_req, res, next) => {
    res.set('content-security-policy', docsCsp)
    next()
  })
  router.get('/docs', (_req, res) => void res.type('html').send(page))
  router.get('/docs/init.js', (_req, res) => void res.type('text/javascript').send(init))
  router.use('/docs', express.static(assets, { index: false, dotfiles: 'ignore', redirect: false, maxAge: '1h' }))
  return router
}
