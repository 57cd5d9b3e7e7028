import { fileURLToPath } from 'node:url'
import express, { type RequestHandler } from 'express'

const folder = fileURLToPath(new URL('../../../web/static/', import.meta.url))

/** The chat page, as plain files. */
export function pageRouter(): RequestHandler {
  return express.static(folder, {
    index: 'index.html',
    dotfiles: 'ignore',
    redirect: false,
    maxAge: '5m',
    setHeaders: (res, path) => path.endsWith('.html') && res.setHeader('cache-control', 'no-cache'),
  })
}
