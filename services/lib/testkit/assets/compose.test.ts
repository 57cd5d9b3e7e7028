import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { beforeAll, describe, expect, test } from 'vitest'
import { listVariables } from '../src/env-docs.ts'
import { composeCommand } from './programs.ts'

type Service = {
  image?: string
  user?: string
  read_only?: boolean
  cap_drop?: string[]
  security_opt?: string[]
  restart?: string
  healthcheck?: { test?: string[] }
  mem_limit?: string
  cpus?: number
  pids_limit?: number
  network_mode?: string
  networks?: Record<string, unknown>
  ports?: { published: string; target: number }[]
  volumes?: { source: string; target: string; read_only?: boolean }[]
  environment?: Record<string, string | null>
  logging?: { options?: Record<string, string> }
  tmpfs?: string[]
}
type Project = { services: Record<string, Service>; networks: Record<string, { internal?: boolean }> }

const root = fileURLToPath(new URL('../../../../', import.meta.url))
const oneShots = ['secrets', 'migrate'] // they end before the others start
const withoutShell = ['redis-exporter', 'nginx-exporter'] // nothing in their image could ask
const MIB = 1024 * 1024

function render(env: Record<string, string> = {}): Project {
  const [command, ...args] = composeCommand()
  // an empty env file: the answer must not depend on this machine's .env
  const flags = [
    '--env-file',
    '/dev/null',
    '--project-directory',
    root,
    '-f',
    join(root, 'docker-compose.yml'),
    '--profile',
    '*',
    'config',
    '--format',
    'json',
  ]
  const text = execFileSync(command as string, [...args, ...flags], {
    cwd: root,
    encoding: 'utf8',
    env: { PATH: process.env.PATH, HOME: process.env.HOME, ...env },
  })
  return JSON.parse(text) as Project
}

describe('the composed stack', () => {
  let project: Project
  let services: [string, Service][]
  beforeAll(() => {
    project = render()
    services = Object.entries(project.services)
  })

  test('publishes 80 and 443, and only by nginx', () => {
    const ports = services.flatMap(([name, service]) => (service.ports ?? []).map((port) => `${name}:${port.published}`))
    expect(ports.sort()).toEqual(['nginx:443', 'nginx:80'])
    const withPorts = readdirSync(join(root, 'compose')).filter(
      (file) => file.endsWith('.yml') && /^\s+ports:/m.test(readFileSync(join(root, 'compose', file), 'utf8')),
    )
    expect(withPorts).toEqual(['edge.yml'])
  })

  test('hardens every container', () => {
    for (const [name, service] of services) {
      expect(service.read_only, `${name}: read_only`).toBe(true)
      expect(service.cap_drop, `${name}: cap_drop`).toEqual(['ALL'])
      expect(service.security_opt, `${name}: no-new-privileges`).toContain('no-new-privileges:true')
      expect(service.pids_limit, `${name}: pids_limit`).toBeGreaterThan(0)
      expect(service.cpus, `${name}: cpus`).toBeGreaterThan(0)
      expect(service.logging?.options, `${name}: log rotation`).toEqual({ 'max-size': '10m', 'max-file': '3' })
      expect(service.restart, `${name}: restart`).toBeTruthy()
      if (name !== 'secrets') expect(service.user, `${name}: not root`).toMatch(/^[1-9]\d*:[1-9]\d*$/)
      if (!oneShots.includes(name) && !withoutShell.includes(name))
        expect(service.healthcheck?.test?.length, `${name}: healthcheck`).toBeGreaterThan(1)
      for (const mount of service.tmpfs ?? []) if (mount.startsWith('/tmp')) expect(mount, `${name}: tmpfs`).toContain('noexec')
    }
  })

  test('names exact tags, and no digest', () => {
    for (const [name, service] of services) expect(service.image, name).toMatch(/:v?\d+\.\d+(\.\d+)?(-[a-z]+)*$/)
  })

  test('keeps the sum of the memory limits within 2 GiB', () => {
    const running = services.filter(([name]) => !oneShots.includes(name))
    for (const [name, service] of services) expect(Number(service.mem_limit), name).toBeGreaterThan(0)
    expect(running.reduce((sum, [, service]) => sum + Number(service.mem_limit), 0) / MIB).toBeLessThanOrEqual(2048)
  })

  test('shows no container the Docker socket, the whole host, or another service’s secrets', () => {
    for (const [name, service] of services) {
      for (const { source, target, read_only } of service.volumes ?? []) {
        expect(source, name).not.toMatch(/docker\.sock|^\/$|^\/(var|run|etc|home|root)(\/|$)/)
        if (target === '/run/secrets') {
          expect(source, name).toBe(`secrets-${name}`)
          expect(read_only, `${name}: secrets are read-only`).toBe(true)
        }
      }
    }
  })

  test('gives a way out to gateway alone, and to embedder and ingest when it is asked for', () => {
    const out = (of: Project) =>
      Object.entries(of.services)
        .filter(([, service]) => Object.keys(service.networks ?? {}).some((network) => !of.networks[network]?.internal))
        .map(([name]) => name)
        .sort()
    expect(out(project)).toEqual(['gateway', 'nginx'])
    expect(out(render({ INGEST_NETWORK: 'egress' }))).toEqual(['gateway', 'ingest', 'nginx'])
    expect(out(render({ EMBEDDER_NETWORK: 'egress' }))).toEqual(['embedder', 'gateway', 'nginx'])
    expect(project.services.extractor?.network_mode).toBe('none')
    expect(project.services.extractor?.volumes?.map(({ target }) => target).sort()).toEqual(['/documents', '/run/extractor'])
  })

  test('hands every setting of a service on to it', () => {
    const missing = listVariables().flatMap(({ name, services: readers }) =>
      readers
        .filter((service) => !Object.keys(project.services[service]?.environment ?? {}).includes(name))
        .map((service) => `${service}: ${name}`),
    )
    expect(missing).toEqual([])
  })

  test('MONITORING=0 leaves the monitoring out', () => {
    const quiet = render({ MONITORING: '0' }) as unknown as { services: Record<string, { deploy?: { replicas?: number } }> }
    const off = Object.entries(quiet.services).filter(([, service]) => service.deploy?.replicas === 0)
    expect(off.map(([name]) => name).sort()).toEqual([
      'grafana',
      'nginx-exporter',
      'node-exporter',
      'postgres-exporter',
      'prometheus',
      'redis-exporter',
    ])
  })

  test('holds no secret and no default password', () => {
    for (const [name, service] of services) {
      for (const [variable, value] of Object.entries(service.environment ?? {})) {
        if (/(PASSWORD|TOKEN|KEY|SECRET)$/.test(variable)) expect(value ?? '', `${name}: ${variable}`).toBe('')
      }
    }
  })
})
