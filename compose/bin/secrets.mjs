// The one-shot `secrets`: fills one volume per service, and never changes a value that exists.
//   docker compose run --rm secrets                   fill what is missing
//   docker compose run --rm secrets show              names of what can be shown
//   docker compose run --rm secrets show admin-key    print it
import { createPrivateKey, generateKeyPairSync, randomBytes, sign, X509Certificate } from 'node:crypto'
import { chmodSync, chownSync, closeSync, existsSync, fsyncSync, lstatSync, openSync, readFileSync, renameSync, writeSync } from 'node:fs'
import { isIP } from 'node:net'
import { join } from 'node:path'

const volumes = process.env.SECRETS_ROOT ?? '/volumes'
const owned = process.env.OWNED_ROOT ?? '/owned'
const store = join(volumes, 'store')
const ours = { uid: Number(process.env.DOCENT_UID || 1000), gid: Number(process.env.DOCENT_GID || 1000) }
const as = (uid, gid = uid) => ({ uid, gid })

/** Complete or absent, whatever is killed: written beside, flushed, then renamed. */
function writeWhole(path, text, { uid, gid }) {
  const part = `${path}.part`
  const file = openSync(part, 'w', 0o400)
  writeSync(file, text)
  fsyncSync(file)
  closeSync(file)
  chownSync(part, uid, gid)
  chmodSync(part, 0o400)
  renameSync(part, path)
}

function stored(name, make) {
  const path = join(store, name)
  if (!existsSync(path)) writeWhole(path, make(), as(0))
  return readFileSync(path, 'utf8')
}
const random = () => randomBytes(32).toString('base64url')
const secret = (name) => stored(name, random)

// --- a self-signed certificate: node signs, but writes no X.509, so its DER is put together here
const der = (tag, ...parts) => {
  const body = Buffer.concat(parts)
  const size = []
  for (let n = body.length; n > 0; n >>= 8) size.unshift(n & 255)
  const head = body.length < 128 ? [tag, body.length] : [tag, 0x80 | size.length, ...size]
  return Buffer.concat([Buffer.from(head), body])
}
const seq = (...parts) => der(0x30, ...parts)
const oid = (hex) => der(0x06, Buffer.from(hex, 'hex'))
const time = (date) => der(0x18, Buffer.from(`${date.toISOString().replace(/[-:T]|\.\d+/g, '')}`))
const ext = (id, critical, value) => seq(oid(id), ...(critical ? [der(0x01, Buffer.from([255]))] : []), der(0x04, value))

function address(name) {
  if (isIP(name) === 4) return der(0x87, Buffer.from(name.split('.').map(Number)))
  return der(0x82, Buffer.from(name))
}

function selfSigned(host, now = new Date()) {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const key = privateKey.export({ type: 'pkcs8', format: 'pem' })
  const ecdsaSha256 = seq(oid('2a8648ce3d040302'))
  const name = seq(der(0x31, seq(oid('550403'), der(0x0c, Buffer.from(host.slice(0, 64))))))
  const names = [...new Set([host, 'localhost', '127.0.0.1'])].filter((entry) => isIP(entry) !== 6)
  const serial = randomBytes(16)
  serial[0] = (serial[0] & 0x7f) | 0x40 // positive, and no leading zero
  const until = new Date(now)
  until.setFullYear(now.getFullYear() + 10)
  const body = seq(
    der(0xa0, der(0x02, Buffer.from([2]))),
    der(0x02, serial),
    ecdsaSha256,
    name,
    seq(time(new Date(now.getTime() - 86_400_000)), time(until)),
    name,
    publicKey.export({ type: 'spki', format: 'der' }),
    der(
      0xa3,
      seq(ext('551d11', false, seq(...names.map(address))), ext('551d13', true, seq()), ext('551d25', false, seq(oid('2b06010505070301')))),
    ),
  )
  const whole = seq(body, ecdsaSha256, der(0x03, Buffer.from([0]), sign('sha256', body, createPrivateKey(key))))
  const certificate = `-----BEGIN CERTIFICATE-----\n${whole
    .toString('base64')
    .replace(/(.{64})/g, '$1\n')
    .trim()}\n-----END CERTIFICATE-----\n`
  if (!new X509Certificate(certificate).verify(publicKey)) throw new Error('the certificate does not verify')
  return `${key}${certificate}`
}

// --- Redis: a user per service; nobody can list, configure, empty or debug a server
const may = '~* &* +@all -@admin -@dangerous +info'
const users = (server, names) =>
  [
    'user default off resetpass resetkeys resetchannels -@all',
    ...names.map((name) => `user ${name} on >${secret(`${server}-${name}`)} ${may}`),
    `user metrics on >${secret('redis-metrics')} resetkeys resetchannels -@all +ping +info +client|setname +slowlog|len +latency|latest`,
    'user health on nopass resetkeys resetchannels -@all +ping',
    '',
  ].join('\n')
const redisUrl = (server, name) => `redis://${name}:${secret(`${server}-${name}`)}@${server}:6379/0`
const postgresUrl = (role, password) => `postgres://${role}:${password}@postgres:5432/docent`

/** Every file, by service: who reads it and what it holds. */
function files() {
  const pem = stored('tls.pem', () => selfSigned(process.env.DOCENT_HOST || 'localhost'))
  const at = pem.indexOf('-----BEGIN CERTIFICATE-----')
  const corpus = postgresUrl('docent_corpus', secret('corpus-password'))
  return {
    postgres: [as(999), { 'postgres-password': secret('postgres-password'), 'metrics-password': secret('postgres-metrics') }],
    migrate: [
      as(1000),
      {
        'database-url': postgresUrl('docent_owner', secret('postgres-password')),
        'corpus-password': secret('corpus-password'),
        'chat-password': secret('chat-password'),
      },
    ],
    queue: [as(999), { 'users.acl': users('queue', ['gateway', 'ingest']) }],
    cache: [as(999), { 'users.acl': users('cache', ['gateway', 'retrieval']) }],
    gateway: [
      as(1000),
      {
        'database-url': postgresUrl('docent_chat', secret('chat-password')),
        'queue-url': redisUrl('queue', 'gateway'),
        'cache-url': redisUrl('cache', 'gateway'),
        'internal-token': secret('internal-token'),
        'admin-key': secret('admin-key'),
      },
    ],
    retrieval: [
      as(1000),
      { 'database-url': corpus, 'cache-url': redisUrl('cache', 'retrieval'), 'internal-token': secret('internal-token') },
    ],
    ingest: [ours, { 'database-url': corpus, 'queue-url': redisUrl('queue', 'ingest'), 'internal-token': secret('internal-token') }],
    nginx: [as(101), { 'tls.key': pem.slice(0, at), 'tls.crt': pem.slice(at) }],
    grafana: [as(472), { 'admin-password': secret('grafana-password') }],
    'postgres-exporter': [as(65534), { password: secret('postgres-metrics') }],
    'redis-exporter': [
      as(59000),
      {
        'passwords.json': JSON.stringify(
          Object.fromEntries(['queue', 'cache'].map((server) => [`redis://metrics@${server}:6379`, secret('redis-metrics')])),
        ),
      },
    ],
  }
}

function fill() {
  let written = 0
  for (const [service, [reader, entries]] of Object.entries(files())) {
    const folder = join(volumes, service)
    chownSync(folder, reader.uid, reader.gid)
    chmodSync(folder, 0o500)
    for (const [name, text] of Object.entries(entries)) {
      const path = join(folder, name)
      if (existsSync(path) && readFileSync(path, 'utf8') === text && lstatSync(path).uid === reader.uid) continue
      writeWhole(path, text, reader)
      written++
    }
  }
  for (const folder of ['chroma', 'retrieval']) chownSync(join(owned, folder), 1000, 1000)
  chownSync(join(owned, 'extractor'), ours.uid, ours.gid)
  chmodSync(join(owned, 'extractor'), 0o700)
  chmodSync(store, 0o700)
  console.log(written > 0 ? `secrets: wrote ${written} file(s)` : 'secrets: nothing was missing')
}

const [command, name] = process.argv.slice(2)
const shown = ['admin-key', 'grafana-password']
if (command === 'show' && shown.includes(name)) process.stdout.write(`${secret(name)}\n`)
else if (command === 'show') console.log(shown.join('\n'))
else if (command) {
  console.error(`secrets: unknown command "${command}"; there is: show ${shown.join('|')}`)
  process.exitCode = 2
} else fill()
