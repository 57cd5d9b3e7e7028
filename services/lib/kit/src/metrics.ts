import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client'

export type Metrics = Registry

/** A registry of its own per service, so that several services can live in one process. */
export function createMetrics(service: string, defaults = true): Metrics {
  const registry = new Registry()
  registry.setDefaultLabels({ service })
  if (defaults) collectDefaultMetrics({ register: registry })
  return registry
}

export function httpSeconds(registry: Metrics): Histogram<'route' | 'method' | 'status'> {
  return new Histogram({
    name: 'docent_http_request_seconds',
    help: 'Time to answer a request, by route template',
    labelNames: ['route', 'method', 'status'],
    buckets: [0.005, 0.02, 0.1, 0.5, 2, 10, 60],
    registers: [registry],
  })
}

export function dependencyUp(registry: Metrics): Gauge<'dependency'> {
  return new Gauge({
    name: 'docent_dependency_up',
    help: '1 when the last canary passed',
    labelNames: ['dependency'],
    registers: [registry],
  })
}

/** Serves /metrics on an internal port of its own. */
export async function serveMetrics(registry: Metrics, port: number, host = '0.0.0.0'): Promise<AsyncDisposable & { port: number }> {
  const server = createServer((req, res) => {
    if (req.url !== '/metrics') return void res.writeHead(404).end()
    registry.metrics().then(
      (text) => res.writeHead(200, { 'content-type': registry.contentType }).end(text),
      () => res.writeHead(500).end(),
    )
  })
  server.listen(port, host)
  await once(server, 'listening')
  return {
    port: (server.address() as AddressInfo).port,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise((done) => server.close(done))
    },
  }
}
