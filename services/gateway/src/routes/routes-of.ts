import type { Express } from 'express'

type Layer = { route?: { path: string | string[]; methods: Record<string, boolean> }; handle?: { stack?: Layer[] } }

/** Every address the app answers, as `GET /api/v1/records/:answerId`: what tests hold their lists against. */
export function routesOf(app: Express): string[] {
  const found = new Set<string>()
  const walk = (layers: readonly Layer[]) => {
    for (const { route, handle } of layers) {
      if (route) {
        const methods = Object.keys(route.methods).map((method) => method.toUpperCase())
        for (const path of [route.path].flat()) for (const method of methods) found.add(`${method} ${path}`)
      } else if (handle?.stack) walk(handle.stack)
    }
  }
  walk((app.router as unknown as { stack: Layer[] }).stack)
  return [...found].sort()
}
