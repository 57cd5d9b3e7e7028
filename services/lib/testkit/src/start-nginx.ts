import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { freePort } from '@docent/kit/free-port'
import { cpuSecondsOf } from './bench/child-service.ts'
import { until } from './until.ts'

const root = fileURLToPath(new URL('../../../../', import.meta.url))
const setpriv = '/usr/bin/setpriv'

export type Nginx = {
  /** the TLS server of the composed stack, here without TLS unless asked for */
  url: string
  /** new configuration, new workers; resolves when a new worker runs */
  reload(gatewayPorts?: number | readonly number[]): Promise<void>
  kill(): Promise<void>
  start(): Promise<void>
  /** seconds of CPU that its processes have used so far */
  cpuS(): number
}

/**
 * nginx with the composed stack's own configuration in front of gateways on this machine, asked in turn; it does not outlive the
 * test. `tls`: with a certificate that it signs itself; `silenceS`: so long it waits for the next byte of events.
 */
export async function startNginx(
  command: string,
  gatewayPorts: number | readonly number[],
  scope: AsyncDisposableStack,
  { tls = false, silenceS = 30 } = {},
): Promise<Nginx> {
  const folder = mkdtempSync(join(tmpdir(), 'docent-nginx-'))
  chmodSync(folder, 0o755) // its workers have a user of their own when the run is root's
  scope.defer(() => rmSync(folder, { recursive: true, force: true }))
  const [plain, status, main] = [await freePort(), await freePort(), await freePort()]
  mkdirSync(join(folder, 'conf.d'))
  mkdirSync(join(folder, 'tls'))
  writeFileSync(join(folder, 'mime.types'), 'types { text/html html; }\n')
  writeFileSync(join(folder, 'conf.d/certificate.inc'), `set $hsts "";\n${tls ? certificate(folder) : ''}`)
  const ours = (path: string) =>
    path.replaceAll('/tmp/', `${folder}/`).replaceAll('/etc/nginx', folder).replaceAll('/dev/std', `${folder}/std`)
  writeFileSync(join(folder, 'nginx.conf'), ours(readFileSync(join(root, 'nginx/nginx.conf'), 'utf8')))
  cpSync(join(root, 'nginx/snippets'), join(folder, 'snippets'), { recursive: true })
  const origins = join(folder, 'conf.d/00-origins.conf')
  execFileSync('sh', [join(root, 'nginx/entrypoint/15-allowed-origins.sh')], {
    env: { PATH: process.env.PATH, ORIGINS_FILE: origins, ALLOWED_ORIGINS: '' },
  })
  const template = readFileSync(join(root, 'nginx/templates/stack.conf.template'), 'utf8')

  function configure(ports: number | readonly number[]): void {
    const values: Record<string, string> = { MAX_FILE_MB: '50', NGINX_RESOLVER: '127.0.0.1' }
    const filled = template
      .replace(/\$\{([A-Z_]+)\}/g, (_, name: string) => values[name] ?? '')
      .replace(/^ *http2 on;$/m, '')
      .replace('listen 8443 ssl default_server', `listen 127.0.0.1:${main}${tls ? ' ssl' : ''} default_server`)
      .replace('listen 8081', `listen 127.0.0.1:${status}`)
      .replace('listen 8080', `listen 127.0.0.1:${plain}`)
      .replace('http://gateway:8080', 'http://gateways')
      .replace('proxy_read_timeout 30s', `proxy_read_timeout ${silenceS}s`)
    // as a name with several addresses: each request goes to the next one, whatever became of the last
    const servers = [ports].flat().map((port) => `server 127.0.0.1:${port} max_fails=0;`)
    writeFileSync(join(folder, 'conf.d/stack.conf'), `upstream gateways { ${servers.join(' ')} }\n${ours(filled)}`)
  }

  const args = ['-p', folder, '-c', join(folder, 'nginx.conf'), '-e', join(folder, 'error.log')]
  let child: ChildProcess | undefined
  const workers = () => readFileSync(`/proc/${child?.pid}/task/${child?.pid}/children`, 'utf8').trim().split(' ')
  const nginx: Nginx = {
    url: `${tls ? 'https' : 'http'}://127.0.0.1:${main}`,
    async reload(ports = gatewayPorts) {
      configure(ports)
      const before = new Set(workers())
      const { status, stderr } = spawnSync(command, [...args, '-s', 'reload'], { encoding: 'utf8' })
      if (status !== 0) throw new Error(`nginx does not reload: ${stderr}`)
      await until('a new worker runs', () => workers().some((pid) => !before.has(pid)) || undefined)
    },
    async kill() {
      const dying = child
      if (!dying || dying.exitCode !== null || dying.signalCode !== null) return
      const gone = once(dying, 'exit')
      // the master first: it would replace a worker that dies, and the new one would keep the ports
      for (const pid of [dying.pid!, ...workers().filter(Boolean).map(Number)]) process.kill(pid, 'SIGKILL')
      await gone
    },
    cpuS: () => [child!.pid!, ...workers().filter(Boolean).map(Number)].reduce((sum, pid) => sum + cpuSecondsOf(pid), 0),
    async start() {
      const all = [...args, '-g', 'daemon off;']
      const [program, rest] = existsSync(setpriv) ? [setpriv, ['--pdeathsig', 'TERM', command, ...all]] : [command, all]
      child = spawn(program, rest, { stdio: 'ignore' })
      await until('nginx answers', () =>
        fetch(`http://127.0.0.1:${status}/healthz`).then(
          ({ ok }) => ok || undefined,
          () => undefined,
        ),
      )
    },
  }
  configure(gatewayPorts)
  scope.defer(() => nginx.kill())
  await nginx.start()
  return nginx
}

/** Another nginx in front of that one as people set it up: it buffers and compresses, as it does unless told otherwise. Its URL. */
export async function startFrontNginx(command: string, behind: Pick<Nginx, 'url'>, scope: AsyncDisposableStack): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'docent-front-'))
  chmodSync(folder, 0o755)
  scope.defer(() => rmSync(folder, { recursive: true, force: true }))
  const port = await freePort()
  const temp = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((name) => `${name}_temp_path ${folder}/${name};`).join(' ')
  writeFileSync(
    join(folder, 'nginx.conf'),
    `pid ${folder}/pid; error_log ${folder}/error.log; events {}
     http { access_log off; ${temp} gzip on; gzip_proxied any; gzip_types *; server { listen 127.0.0.1:${port}; location / { proxy_pass ${behind.url}; } } }`,
  )
  const args = ['-p', folder, '-c', join(folder, 'nginx.conf'), '-e', join(folder, 'error.log'), '-g', 'daemon off;']
  const [program, rest] = existsSync(setpriv) ? [setpriv, ['--pdeathsig', 'TERM', command, ...args]] : [command, args]
  const child = spawn(program, rest, { stdio: 'ignore' })
  scope.defer(async () => {
    const gone = once(child, 'exit')
    if (child.kill('SIGTERM')) await gone
  })
  const url = `http://127.0.0.1:${port}`
  await until('the front nginx answers', () =>
    fetch(url).then(
      () => true,
      () => undefined,
    ),
  )
  return url
}

/** The lines that name a certificate made now. */
function certificate(folder: string): string {
  const [key, pem] = [join(folder, 'tls/key.pem'), join(folder, 'tls/cert.pem')]
  const args = [
    'req',
    '-x509',
    '-newkey',
    'ec',
    '-pkeyopt',
    'ec_paramgen_curve:prime256v1',
    '-nodes',
    '-days',
    '2',
    '-subj',
    '/CN=localhost',
  ]
  execFileSync('openssl', [...args, '-keyout', key, '-out', pem], { stdio: 'pipe' })
  return `ssl_certificate ${pem};\nssl_certificate_key ${key};\n`
}
