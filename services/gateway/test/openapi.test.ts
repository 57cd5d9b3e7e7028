import { globSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { Router } from 'express'
import { expect, test } from 'vitest'
import { openApiDocument } from '../src/routes/openapi.ts'

const folder = fileURLToPath(new URL('../src/routes/', import.meta.url))
const isPage = /^(\/api)?\/openapi\.json$|^\/docs/

/** Whatever a router asks of its dependencies while it is built. */
function anything(): unknown {
  return new Proxy(() => undefined, { get: (_target, name) => (name === Symbol.iterator ? [][Symbol.iterator] : anything()) })
}

/** `METHOD /path/{id}` of every route in src/routes. */
async function routesOfTheGateway(): Promise<string[]> {
  const modules = await Promise.all(
    globSync('*.ts', { cwd: folder, exclude: ['*.test.ts'] }).map((file) => import(`${folder}${file}`) as Promise<object>),
  )
  const routers = modules
    .flatMap((module) => Object.entries(module))
    .filter(([name]) => name.endsWith('Router') && name !== 'pageRouter')
    .map(([, make]) => (make as (deps: unknown) => Router)(anything()))
  return routers
    .flatMap((router) => router.stack)
    .flatMap(({ route }) => {
      if (!route) return []
      const { path, methods } = route as unknown as { path: string | string[]; methods: Record<string, boolean> }
      return [path]
        .flat()
        .flatMap((one) => Object.keys(methods).map((method) => `${method.toUpperCase()} ${one.replace(/:(\w+)/g, '{$1}')}`))
    })
}

test('/openapi.json lists every operation of the gateway and no other', async () => {
  const { paths } = openApiDocument() as { paths: Record<string, object> }
  const listed = Object.entries(paths).flatMap(([path, methods]) => Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`))
  const routes = (await routesOfTheGateway()).filter((route) => !isPage.test(route.split(' ')[1]!))
  expect(routes.length).toBeGreaterThan(40)
  expect({ missing: routes.filter((route) => !listed.includes(route)), extra: listed.filter((one) => !routes.includes(one)) }).toEqual({
    missing: [],
    extra: [],
  })
})

test('each operation stands in a group and each JSON body has an example', () => {
  type Operation = { summary?: string; tags?: string[]; requestBody?: { content: Record<string, { example?: unknown }> } }
  const { paths, tags } = openApiDocument() as { paths: Record<string, Record<string, Operation>>; tags: { name: string }[] }
  const groups = tags.map(({ name }) => name)
  const operations = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ name: `${method} ${path}`, operation })),
  )
  expect(
    operations.filter(({ operation }) => !operation.summary || !groups.includes(operation.tags?.[0] ?? '')).map(({ name }) => name),
  ).toEqual([])
  expect(
    operations
      .filter(
        ({ operation }) =>
          operation.requestBody?.content['application/json']?.example === undefined && operation.requestBody?.content['application/json'],
      )
      .map(({ name }) => name),
  ).toEqual([])
})
