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

type Listed = {
  path: string | string[]
  methods: Record<string, boolean>
  stack: { handle: (req: unknown, res: unknown, next: () => void) => unknown }[]
}
const openPath = (path: string) => path.replace(/:(\w+)/g, '{$1}')

async function routersOfTheGateway(): Promise<Router[]> {
  const modules = await Promise.all(
    globSync('*.ts', { cwd: folder, exclude: ['*.test.ts'] }).map((file) => import(`${folder}${file}`) as Promise<object>),
  )
  return modules
    .flatMap((module) => Object.entries(module))
    .filter(([name]) => name.endsWith('Router') && name !== 'pageRouter')
    .map(([, make]) => (make as (deps: unknown) => Router)(anything()))
}

/** `METHOD /path/{id}` of every route in src/routes. */
async function routesOfTheGateway(): Promise<string[]> {
  return (await routersOfTheGateway())
    .flatMap((router) => router.stack)
    .flatMap(({ route }) => {
      if (!route) return []
      const { path, methods } = route as unknown as Listed
      return [path].flat().flatMap((one) => Object.keys(methods).map((method) => `${method.toUpperCase()} ${openPath(one)}`))
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

/** What a handler reads of its query, by asking it with one that notes what is looked for. */
function queryOf(handle: (req: unknown, res: unknown, next: () => void) => unknown): string[] {
  const names = new Set<string>()
  const query = new Proxy({}, { get: (_target, name) => void (typeof name === 'string' && names.add(name)) })
  const req = { query, params: {}, body: {}, headers: {}, header: () => undefined, get: () => undefined, once: () => undefined }
  // it fails later for want of stores; by then its query was parsed
  new Promise((resolve) => resolve(handle(req, anything(), () => undefined))).catch(() => undefined)
  return [...names]
}

test('what the routes of the gateway read of a query is listed as a parameter', async () => {
  const { paths } = openApiDocument() as { paths: Record<string, Record<string, { parameters?: { in: string; name: string }[] }>> }
  const read = (await routersOfTheGateway())
    .flatMap((router) => router.stack)
    .flatMap(({ route }) => {
      if (!route) return []
      const { path, methods, stack } = route as unknown as Listed
      const names = stack.flatMap(({ handle }) => queryOf(handle))
      return [path].flat().flatMap((one) => Object.keys(methods).map((method) => ({ path: openPath(one), method, names })))
    })
  expect(read.find(({ path, method }) => path === '/api/v1/usage' && method === 'get')?.names).toEqual([
    'from',
    'to',
    'principal',
    'limit',
    'cursor',
  ])
  const gaps = read.flatMap(({ path, method, names }) => {
    const listed = (paths[path]?.[method]?.parameters ?? []).filter((one) => one.in === 'query').map(({ name }) => name)
    return names.filter((name) => !listed.includes(name)).map((name) => `${method} ${path} ${name}`)
  })
  expect(gaps).toEqual([])
  // ingest parses these
  const { parameters } = paths['/api/v1/documents']!.get!
  expect(parameters?.map(({ name }) => name)).toEqual(['state', 'path', 'cursor', 'limit'])
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
