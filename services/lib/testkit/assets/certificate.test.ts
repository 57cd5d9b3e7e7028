import { execFileSync, spawnSync } from 'node:child_process'
import {
  chmodSync,
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { nginxCommand } from './programs.ts'

const root = fileURLToPath(new URL('../../../../', import.meta.url))

describe('the certificate that nginx serves', () => {
  let folder: string
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'docent-certificate-'))
    mkdirSync(join(folder, 'run'))
    makePair('one', 400)
    makePair('other', 400)
    makePair('old', -1)
    for (const [from, to] of [
      ['one.crt', 'run/tls.crt'],
      ['one.key', 'run/tls.key'],
    ] as const)
      copyFileSync(join(folder, from), join(folder, to))
    cpSync(join(root, 'nginx/tls'), join(folder, 'tls'), { recursive: true })
    for (const name of ['files.conf', 'self-signed.conf'])
      writeFileSync(
        join(folder, 'tls', name),
        readFileSync(join(root, 'nginx/tls', name), 'utf8')
          .replaceAll('/etc/nginx/certs', join(folder, 'certs'))
          .replaceAll('/run/secrets', join(folder, 'run')),
      )
    writeFileSync(
      join(folder, 'nginx.conf'),
      `pid ${folder}/pid; events {} http { access_log off; server { listen 127.0.0.1:1 ssl; include ${folder}/chosen.inc; } }`,
    )
  })
  afterAll(() => rmSync(folder, { recursive: true, force: true }))
  beforeEach(() => {
    rmSync(join(folder, 'certs'), { recursive: true, force: true })
    mkdirSync(join(folder, 'certs'))
  })

  function makePair(name: string, days: number): void {
    const [key, csr, crt] = ['key', 'csr', 'crt'].map((ending) => join(folder, `${name}.${ending}`)) as [string, string, string]
    const openssl = (...args: string[]) => execFileSync('openssl', args, { stdio: 'pipe' })
    const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-subj', `/CN=${name}.example`]
    openssl('req', ...curve, '-keyout', key, '-out', csr)
    openssl('x509', '-req', '-in', csr, '-signkey', key, '-days', String(days), '-out', crt)
  }
  function place(chain: string, key: string): void {
    copyFileSync(join(folder, chain), join(folder, 'certs/fullchain.pem'))
    copyFileSync(join(folder, key), join(folder, 'certs/privkey.pem'))
  }
  /** One look of the script: what it says, what it chose, what it leaves for Prometheus. */
  function look(mode: string) {
    const { stderr, status } = spawnSync('sh', [join(root, 'nginx/entrypoint/25-certificate.sh')], {
      encoding: 'utf8',
      env: {
        PATH: process.env.PATH,
        TLS_MODE: mode,
        LOOK_S: 'never', // sleep refuses, and so it looks once
        NGINX: `${nginxCommand()} -p ${folder} -c ${folder}/nginx.conf -e ${folder}/error.log`,
        TLS_FOLDER: join(folder, 'tls'),
        CERTS_FOLDER: join(folder, 'certs'),
        OWN_CERTIFICATE: join(folder, 'run/tls.crt'),
        CERTIFICATE_CONF: join(folder, 'chosen.inc'),
        CERTIFICATE_METRICS: join(folder, 'certificate.prom'),
      },
    })
    expect(status, stderr).toBe(0)
    const chosen = readFileSync(join(folder, 'chosen.inc'), 'utf8')
    return {
      said: stderr,
      isOwn: chosen === readFileSync(join(folder, 'tls/self-signed.conf'), 'utf8'),
      metrics: readFileSync(join(folder, 'certificate.prom'), 'utf8'),
    }
  }

  test('without a wish the self-signed one is served', () => {
    const { said, isOwn, metrics } = look('self-signed')
    expect(said).toContain('the self-signed certificate is served; it ends at')
    expect(isOwn).toBe(true)
    expect(metrics).toMatch(/^nginx_certificate_usable 1\nnginx_certificate_end_timestamp_seconds \d{10}\n$/)
  })

  test('a pair in the folder is served', () => {
    place('other.crt', 'other.key')
    const { said, isOwn, metrics } = look('files')
    expect(said).toContain('your certificate is served; it ends at')
    expect(isOwn).toBe(false)
    expect(metrics).toContain('nginx_certificate_usable 1\n')
  })

  test('one that has ended is served, and said to have ended', () => {
    place('old.crt', 'old.key')
    const { said, isOwn } = look('files')
    expect(said).toMatch(/your certificate ended at .* UTC: renew it/)
    expect(isOwn).toBe(false)
  })

  test.each([
    ['nothing', () => {}, 'TLS_DIR holds no fullchain.pem'],
    ['no key', () => copyFileSync(join(folder, 'one.crt'), join(folder, 'certs/fullchain.pem')), 'TLS_DIR holds no privkey.pem'],
    ["another's key", () => place('one.crt', 'other.key'), 'privkey.pem is not the key of the certificate'],
    ['something else', () => place('nginx.conf', 'one.key'), 'fullchain.pem in TLS_DIR is no PEM file'],
    [
      "certbot's links",
      () => symlinkSync('../../archive/x/fullchain1.pem', join(folder, 'certs/fullchain.pem')),
      'fullchain.pem in TLS_DIR is a link to ../../archive/x/fullchain1.pem',
    ],
    [
      'a key with a pass phrase',
      () => {
        place('one.crt', 'one.key')
        const [from, to] = [join(folder, 'one.key'), join(folder, 'certs/privkey.pem')]
        execFileSync('openssl', ['pkcs8', '-topk8', '-in', from, '-out', to, '-passout', 'pass:secret'], { stdio: 'pipe' })
      },
      'privkey.pem has a pass phrase',
    ],
  ])('%s in the folder: the site stays up with the self-signed one, and says why', (_, prepare, sentence) => {
    prepare()
    const { said, isOwn, metrics } = look('files')
    expect(said).toContain(sentence)
    expect(said).toContain('Until then the self-signed certificate is served.')
    expect(isOwn).toBe(true)
    expect(metrics).toContain('nginx_certificate_usable 0\n')
  })

  test('an unknown mode is named', () => {
    const { said, isOwn } = look('acme')
    expect(said).toContain('TLS_MODE=acme is unknown: it is self-signed or files.')
    expect(isOwn).toBe(true)
  })

  test('what an operator has is copied so that nginx alone can read it', () => {
    const [from, to] = [join(folder, 'live'), join(folder, 'certs')]
    mkdirSync(from)
    copyFileSync(join(folder, 'one.key'), join(folder, 'real.pem'))
    symlinkSync(join(folder, 'real.pem'), join(from, 'privkey.pem'))
    copyFileSync(join(folder, 'one.crt'), join(from, 'fullchain.pem'))
    chmodSync(join(folder, 'real.pem'), 0o600)
    // `chown` of ours: only root may give files away
    writeFileSync(join(folder, 'chown'), '#!/bin/sh\necho "$1" >> "$CHOWNED"\n', { mode: 0o755 })
    const env = { PATH: `${folder}:${process.env.PATH}`, TLS_DIR: to, RENEWED_LINEAGE: from, CHOWNED: join(folder, 'chowned') }
    execFileSync('sh', [join(root, 'compose/bin/certificate')], { env, stdio: 'pipe' })
    expect(readFileSync(join(to, 'privkey.pem'), 'utf8')).toBe(readFileSync(join(folder, 'one.key'), 'utf8'))
    expect(readFileSync(join(folder, 'chowned'), 'utf8')).toBe('101:101\n101:101\n')
    expect(existsSync(join(to, '.privkey.pem.part'))).toBe(false)

    // where nothing says which folder: that of the clone
    const script = join(folder, 'clone/compose/bin/certificate')
    mkdirSync(join(folder, 'clone/compose/bin'), { recursive: true })
    mkdirSync(join(folder, 'clone/nginx/certs'), { recursive: true })
    copyFileSync(join(root, 'compose/bin/certificate'), script)
    execFileSync('sh', [script, from], { env: { PATH: env.PATH, CHOWNED: env.CHOWNED }, stdio: 'pipe' })
    expect(existsSync(join(folder, 'clone/nginx/certs/fullchain.pem'))).toBe(true)
  })
})
