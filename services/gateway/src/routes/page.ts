import { fileURLToPath } from 'node:url'
import express, { type RequestHandler } from 'express'

const folder = fileURLToPath(new URL('../../../web/static/', import.meta.url))

/** The chat page, as plain files. */
export function pageRouter(): RequestHandler {
  return express.static(folder, {
    index: 'index.html',
    dotfiles: 'ignore',
    redirect: false,
    // asked each time and answered by 304: the files of two versions never meet on one page
    setHeaders: (res) => res.setHeader('cache-control', 'no-cache'),
  })
}
