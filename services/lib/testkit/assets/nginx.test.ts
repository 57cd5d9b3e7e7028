import { execFileSync, spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { nginxCommand } from './programs.ts'

const root = fileURLToPath(new URL('../../../../', import.meta.url))

describe('nginx', () => {
  let folder: string
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'docent-nginx-'))
    cpSync(join(root, 'nginx/snippets'), join(folder, 'snippets'), { recursive: true })
    for (const name of ['conf.d']) mkdirSync(join(folder, name), { recursive: true })
    writeFileSync(join(folder, 'mime.types'), 'types { text/html html; }\n')
    execFileSync(
      'openssl',
      [
        'req',
        '-x509',
        '-newkey',
        'ec',
        '-pkeyopt',
        'ec_paramgen_curve:P-256',
        '-nodes',
        '-subj',
        '/CN=localhost',
        '-keyout',
        join(folder, 'tls.key'),
        '-out',
        join(folder, 'tls.crt'),
      ],
      { stdio: 'pipe' },
    )
  })
  afterAll(() => rmSync(folder, { recursive: true, force: true }))

  /** The files as the container sees them, with its paths moved into a folder of ours. */
  function place(path: string): string {
    return path
      .replaceAll('/tmp/', `${folder}/`)
      .replaceAll('/etc/nginx/certs/fullchain.pem', join(folder, 'tls.crt'))
      .replaceAll('/etc/nginx/certs/privkey.pem', join(folder, 'tls.key'))
      .replaceAll('/run/secrets', folder)
      .replaceAll('/etc/nginx', folder)
      .replaceAll('/dev/std', `${folder}/std`)
  }

  function check(tlsMode: string): { status: number | null; text: string } {
    const values: Record<string, string> = { MAX_FILE_MB: '50', NGINX_RESOLVER: '127.0.0.11' }
    const template = readFileSync(join(root, 'nginx/templates/stack.conf.template'), 'utf8')
    // `http2 on` is younger than Debian 12's nginx
    const http2 = spawnSync(nginxCommand(), ['-v'], { encoding: 'utf8' }).stderr.match(/1\.(\d+)/)?.[1]
    const filled = template
      .replace(/\$\{([A-Z_]+)\}/g, (_, name: string) => values[name] ?? '')
      .replace(/^ *http2 on;$/m, (line) => (Number(http2) >= 25 ? line : ''))
    writeFileSync(join(folder, 'conf.d/stack.conf'), place(filled))
    writeFileSync(join(folder, 'conf.d/certificate.inc'), place(readFileSync(join(root, `nginx/tls/${tlsMode}.conf`), 'utf8')))
    writeFileSync(join(folder, 'nginx.conf'), place(readFileSync(join(root, 'nginx/nginx.conf'), 'utf8')))
    const origins = join(folder, 'conf.d/00-origins.conf')
    execFileSync('sh', [join(root, 'nginx/entrypoint/15-allowed-origins.sh')], {
      env: { PATH: process.env.PATH, ORIGINS_FILE: origins, ALLOWED_ORIGINS: '["https://a.example", "http://b.example:3000", "x\\"; }"]' },
    })
    const { status, stderr } = spawnSync(
      nginxCommand(),
      ['-t', '-p', folder, '-c', join(folder, 'nginx.conf'), '-e', join(folder, 'error.log')],
      { encoding: 'utf8' },
    )
    return { status, text: stderr }
  }

  test.each(['self-signed', 'files'])('the configuration is valid with TLS_MODE=%s', (mode) => {
    const { status, text } = check(mode)
    expect(text).not.toContain('[warn]')
    expect(status, text).toBe(0)
  })

  test('only well-formed origins get into the configuration', () => {
    check('self-signed')
    const text = readFileSync(join(folder, 'conf.d/00-origins.conf'), 'utf8')
    expect(text.match(/"https?:.*"/g)).toEqual(['"https://a.example"', '"http://b.example:3000"'])
  })

  test('buffering is off where answers stream, and nowhere else', () => {
    const template = readFileSync(join(root, 'nginx/templates/stack.conf.template'), 'utf8')
    expect(template).not.toContain('proxy_buffering')
    expect(template.match(/snippets\/sse\.conf/g)).toHaveLength(2)
    expect(template.indexOf('/events$')).toBeLessThan(template.indexOf('ask_stream'))
  })

  test('a caller can speak neither for a principal nor for an address', () => {
    const proxy = readFileSync(join(root, 'nginx/snippets/proxy.conf'), 'utf8')
    for (const header of ['X-Docent-Token ""', 'X-Docent-Principal ""', 'X-Forwarded-For $remote_addr'])
      expect(proxy).toContain(`proxy_set_header ${header};`)
  })
})
