// The real composed stack, from a fresh clone: `npm run test:compose`. Node's built-ins only.
// IMAGE_TOOL names a program that provides images where none can be pulled (`engine`, `images`). KEEP=1 leaves the stack up.
import { execFile, execFileSync, spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { request as httpRequest } from 'node:http'
import { request as httpsRequest } from 'node:https'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { connect as tlsConnect } from 'node:tls'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

const root = fileURLToPath(new URL('../../../../', import.meta.url))
const work = mkdtempSync(join(tmpdir(), 'docent-compose-'))
const clone = join(work, 'docent')
const project = `docent-test-${process.pid}`
const ours = ['gateway', 'retrieval', 'ingest', 'embedder', 'extractor']
const all = [...ours, 'postgres', 'queue', 'cache', 'chroma', 'nginx']
const MIB = 1024 * 1024
let passed = 0
let failed = 0

async function check(name, body) {
  const started = Date.now()
  try {
    const note = await body()
    passed++
    console.log(`ok     ${name}${note ? `: ${note}` : ''} (${((Date.now() - started) / 1000).toFixed(1)} s)`)
  } catch (error) {
    failed++
    console.log(`FAILED ${name}: ${error.message}`)
  }
}

const exec = promisify(execFile)
const env = { ...process.env, COMPOSE_PROJECT_NAME: project, RATE_LIMIT_PER_MINUTE: '5000' } // we ask more than one person does
async function compose(...args) {
  const { stdout } = await exec('docker', ['compose', ...args], { cwd: clone, env, maxBuffer: 1 << 27 })
  return stdout
}
function must(holds, message) {
  if (!holds) throw new Error(message)
}
/** Awaits a promise of the product: fails when its deadline passes. */
async function until(what, seconds, attempt) {
  const deadline = Date.now() + seconds * 1000
  for (;;) {
    let last
    try {
      const value = await attempt()
      if (value) return value
    } catch (error) {
      last = error
    }
    if (Date.now() > deadline) throw new Error(`${what}: not within ${seconds} s${last ? ` (${last.message})` : ''}`)
    await sleep(500)
  }
}

/** One request; `pieces` holds when each part of the body arrived. */
function call(path, { method = 'GET', body, headers = {}, plain = false, timeoutMs = 60_000 } = {}) {
  const options = { host: '127.0.0.1', port: plain ? 80 : 443, path, method, rejectUnauthorized: false, agent: false, timeout: timeoutMs }
  const payload = body === undefined || typeof body === 'string' || Buffer.isBuffer(body) ? body : JSON.stringify(body)
  return new Promise((resolve, reject) => {
    const sent = (plain ? httpRequest : httpsRequest)(
      { ...options, headers: { ...(payload ? { 'content-type': 'application/json' } : {}), ...headers } },
      (response) => {
        const pieces = []
        let text = ''
        response.setEncoding('utf8')
        response.on('data', (piece) => {
          text += piece
          pieces.push(Date.now())
        })
        response.on('error', reject)
        response.on('end', () =>
          resolve({ status: response.statusCode, headers: response.headers, text, pieces, json: () => JSON.parse(text) }),
        )
      },
    )
    sent.on('timeout', () => sent.destroy(new Error(`no answer from ${path} in ${timeoutMs} ms`)))
    sent.on('error', reject)
    sent.end(payload)
  })
}
/** Whose certificate is served. */
function subject() {
  return new Promise((resolve, reject) => {
    const socket = tlsConnect({ host: '127.0.0.1', port: 443, rejectUnauthorized: false }, () => {
      resolve(`CN=${socket.getPeerCertificate().subject.CN}`)
      socket.destroy()
    }).on('error', reject)
  })
}
async function ask(question) {
  const response = await call('/api/v1/ask', { method: 'POST', body: { question } })
  must(response.status === 200, `POST /api/v1/ask gave ${response.status} ${response.text.slice(0, 200)}`)
  return response.json()
}
const health = async (service) => {
  const rows = (await compose('ps', '--all', '--format', 'json', service))
    .trim()
    .split('\n')
    .filter(Boolean)
    .map((row) => JSON.parse(row))
  return rows.length > 0 && rows.every((row) => row.State === 'running' && (row.Health === 'healthy' || row.Health === ''))
}
const metricsQuery = async (query) => {
  const url = `http://127.0.0.1:9090/api/v1/query?query=${encodeURIComponent(query)}`
  return JSON.parse(await compose('exec', '-T', 'prometheus', 'wget', '-q', '-O', '-', url)).data.result
}

async function prepare() {
  const bootstrap = join(root, 'services/solo/bin/bootstrap.mjs')
  if (existsSync(bootstrap)) await (await import(bootstrap)).ensureToolchain()
  execFileSync('git', ['clone', '--quiet', root, clone], { stdio: 'inherit' })
  const tool = process.env.IMAGE_TOOL
  if (!tool) return
  for (const args of [['engine'], ['images', '--allow-missing', 'grafana']]) {
    const { status, stderr } = spawnSync(tool, args, { cwd: clone, encoding: 'utf8', maxBuffer: 1 << 27 })
    if (status !== 0) throw new Error(`${tool} ${args[0]} failed: ${stderr.trim().split('\n').slice(-5).join(' | ')}`)
  }
}

async function up() {
  const { status, stderr } = spawnSync('docker', ['compose', 'up', '-d', '--build', '--wait', '--quiet-pull'], {
    cwd: clone,
    env,
    encoding: 'utf8',
    maxBuffer: 1 << 28,
    timeout: 20 * 60_000,
  })
  if (status === 0) return
  console.log(stderr.split('\n').slice(-25).join('\n'))
  console.log(spawnSync('docker', ['compose', 'ps', '--all'], { cwd: clone, env, encoding: 'utf8' }).stdout)
  for (const service of all) {
    if (await health(service).catch(() => false)) continue
    console.log(
      spawnSync('docker', ['compose', 'logs', '--no-color', '--tail', '20', service], { cwd: clone, env, encoding: 'utf8' }).stdout,
    )
  }
  throw new Error(`docker compose up ended with ${status}`)
}

async function checks() {
  let adminKey = ''
  await check('a fresh clone comes up with `docker compose up -d --build --wait`', up)
  if (failed > 0) return

  await check('`secrets show admin-key` prints the key, twice the same', async () => {
    adminKey = (await compose('run', '--rm', '-T', 'secrets', 'show', 'admin-key')).trim()
    must(adminKey.length >= 32, 'the key is short')
    await compose('run', '--rm', '-T', 'secrets')
    must((await compose('run', '--rm', '-T', 'secrets', 'show', 'admin-key')).trim() === adminKey, 'the key changed')
  })
  const admin = () => ({ authorization: `Bearer ${adminKey}` })

  await check('the sample folder is indexed', () =>
    until('all documents ready', 240, async () => {
      const { status, json } = await call('/api/v1/documents?limit=1', { headers: admin() })
      if (status !== 200) return false
      const counts = json().counts
      return counts.ready > 0 && !counts.queued && !counts.indexing && JSON.stringify(counts)
    }),
  )

  for (const [language, question] of [
    ['English', 'How long is the warranty?'],
    ['Chinese', '保修期是多久？'],
  ]) {
    await check(`a question in ${language} is answered with sources, over https`, async () => {
      const answer = await ask(question)
      must(answer.text?.length > 0, 'the answer is empty')
      must(answer.sources?.length > 0, `there are no sources: ${JSON.stringify(answer).slice(0, 200)}`)
      return answer.text.slice(0, 60).replaceAll('\n', ' ')
    })
  }

  await check('an answer streams: its pieces arrive apart in time', async () => {
    const response = await call('/api/ask_stream', {
      method: 'POST',
      body: { question: `How long is the warranty, and what does it cover? ${Date.now()}` },
      headers: { accept: 'text/event-stream' },
    })
    must(
      response.status === 200 && response.headers['content-type'].startsWith('text/event-stream'),
      `${response.status} ${response.headers['content-type']}`,
    )
    must(response.text.trimEnd().endsWith('[DONE]'), 'the stream does not end in [DONE]')
    const [first, last] = [response.pieces[0], response.pieces.at(-1)]
    must(response.pieces.length > 1 && last > first, `${response.pieces.length} piece(s) within ${last - first} ms`)
    return `${response.pieces.length} pieces over ${last - first} ms`
  })

  await check('pages over http are sent to https', async () => {
    const { status, headers } = await call('/a/page?x=1', { plain: true, headers: { host: 'docent.example' } })
    must(status === 308 && headers.location === 'https://docent.example/a/page?x=1', `${status} ${headers.location}`)
  })
  await check('the API over http is refused', async () => {
    for (const [method, path] of [
      ['POST', '/api/v1/ask'],
      ['GET', '/api/v1/documents'],
      ['POST', '/chat'],
      ['GET', '/v1/models'],
      ['POST', '/'],
    ]) {
      const { status } = await call(path, { plain: true, method })
      must(status === 403, `${method} ${path} gave ${status}`)
    }
  })
  await check('the page is served, with a policy for its content', async () => {
    const { status, headers } = await call('/')
    must(status === 200 && /html/.test(headers['content-type']), `${status} ${headers['content-type']}`)
    must(headers['content-security-policy'] && headers['x-content-type-options'] === 'nosniff', 'a security header is missing')
    must(!headers['x-powered-by'] && !/\d/.test(headers.server ?? ''), 'a version is told')
  })
  await check('what the inside tells about itself stays inside', async () => {
    for (const path of ['/metrics', '/readyz', '/readyz/', '/healthz', '/stub_status', '/METRICS', '//metrics', '/%6detrics']) {
      const { status, text } = await call(path)
      must(status >= 300 && !/docent_|process_cpu|"checks"/.test(text), `${path} gave ${status}`)
    }
  })
  await check('the document list needs a key', async () => {
    const { status } = await call('/api/v1/documents')
    must(status === 401, `without a key: ${status}`)
  })

  await check('exactly the host ports 80 and 443 are published', async () => {
    const rows = (await compose('ps', '--format', 'json'))
      .trim()
      .split('\n')
      .map((row) => JSON.parse(row))
    const ports = [...new Set(rows.flatMap((row) => (row.Publishers ?? []).map((entry) => entry.PublishedPort)).filter(Boolean))].sort(
      (a, b) => a - b,
    )
    must(String(ports) === '80,443', `published: ${ports}`)
    for (const port of [5432, 6379, 8000, 8080, 8081, 9090, 3000]) {
      const open = await new Promise((resolve) => {
        const socket = connect(port, '127.0.0.1')
          .on('connect', () => resolve(true))
          .on('error', () => resolve(false))
        socket.on('close', () => resolve(false)).setTimeout(500, () => socket.destroy())
        setTimeout(() => socket.destroy(), 600)
      })
      if (open) console.log(`       note: port ${port} of this host is open, by another program`)
    }
  })

  const name = 'compose-test.md'
  const word = `quillfeather${process.pid}`
  await check('a dropped file is answered', async () => {
    writeFileSync(
      join(clone, 'documents', name),
      `# The ${word} procedure\n\nThe ${word} procedure is carried out by the harbour office every seventeenth day.\n`,
    )
    return until('the file is a source', 120, async () =>
      (await ask(`When is the ${word} procedure carried out?`)).sources?.some((source) => source.path === name),
    )
  })
  await check('a removed file is in no answer', async () => {
    rmSync(join(clone, 'documents', name))
    await until(
      'the file is gone',
      60,
      async () => !(await ask(`When is the ${word} procedure carried out?`)).sources?.some((source) => source.path === name),
    )
  })

  for (const service of all) {
    await check(`${service} is killed and comes back`, async () => {
      await compose('kill', '--signal', 'SIGKILL', service)
      await compose('up', '-d', '--no-build', '--no-recreate')
      await until(`${service} is healthy`, 120, () => health(service))
      await until('a question is answered', 90, async () => {
        const answer = await ask('How long is the warranty?')
        return answer.state === 'done' && answer.sources.length > 0
      })
    })
  }
  await check('gateway crashes inside its container and is restarted by itself', async () => {
    await compose(
      'exec',
      '-T',
      '--user',
      '1000',
      'gateway',
      'bash',
      '-c',
      'for p in /proc/[0-9]*; do [ "$(cat $p/comm)" = node ] || grep -q MainThread $p/comm && kill -9 ${p#/proc/}; done; true',
    ).catch(() => undefined)
    await until('gateway is healthy', 90, () => health('gateway'))
    await until('a question is answered', 60, async () => (await ask('How long is the warranty?')).sources.length > 0)
  })
  await check('after all that every document is ready', () =>
    until('documents ready', 120, async () => {
      const { counts } = (await call('/api/v1/documents?limit=1', { headers: admin() })).json()
      return counts.ready > 0 && !counts.queued && !counts.indexing && JSON.stringify(counts)
    }),
  )

  await check('verify agrees with all of it', async () => {
    const said = await compose('run', '--rm', '--no-deps', '-T', 'ingest', 'node', 'services/ingest/src/verify-main.ts', '--wait', '60')
    return said.trim().split('\n').at(-1)
  })

  await check('every target of Prometheus is up', () =>
    until('targets up', 90, async () => {
      const targets = await metricsQuery('up')
      const down = targets.filter((entry) => entry.value[1] !== '1').map((entry) => entry.metric.service)
      const services = new Set(targets.map((entry) => entry.metric.service))
      if (down.length > 0) throw new Error(`down: ${down}`)
      for (const service of ['gateway', 'retrieval', 'ingest', 'embedder', 'postgres', 'queue', 'cache', 'nginx', 'host'])
        must(services.has(service), `${service} is no target`)
      return `${targets.length} targets`
    }),
  )
  await check('every query of the Overview gives a series', async () => {
    const { panels } = JSON.parse(readFileSync(join(clone, 'grafana/dashboards/overview.json'), 'utf8'))
    const queries = panels.flatMap((panel) =>
      (panel.targets ?? []).map(({ expr }) => [panel.title, expr.replaceAll('$__rate_interval', '1m')]),
    )
    let missing = []
    await until('series', 120, async () => {
      await ask(`How long is the warranty? ${Date.now()}`) // rates need traffic
      missing = []
      for (const [title, query] of queries) if ((await metricsQuery(query)).length === 0) missing.push(title)
      if (missing.length > 0) throw new Error(missing.join(', '))
      return true
    })
    return `${queries.length} queries`
  })
  await check('the measured memory is within 1.5 GB', async () => {
    const ids = (await compose('ps', '-q')).trim().split('\n')
    const { stdout } = await exec('docker', ['stats', '--no-stream', '--format', '{{.Name}} {{.MemUsage}}', ...ids])
    const units = { B: 1, KiB: 1024, MiB: MIB, GiB: 1024 * MIB }
    const rows = stdout
      .trim()
      .split('\n')
      .map((row) => /^(\S+) ([\d.]+)(\w+)/.exec(row))
      .map(([, container, amount, unit]) => [container.replace(`${project}-`, ''), (Number(amount) * units[unit]) / MIB])
    const sum = rows.reduce((total, [, size]) => total + size, 0)
    const text = `${Math.round(sum)} MiB (${rows
      .sort((a, b) => b[1] - a[1])
      .map(([container, size]) => `${container} ${Math.round(size)}`)
      .join(', ')})`
    must(sum <= 1536, text)
    return text
  })
  await check('no container sees root, or more than its own secrets', async () => {
    for (const service of all) {
      const id = (await compose('exec', '-T', service, 'id', '-u')).trim()
      must(id !== '0', `${service} runs as root`)
    }
    const list = (await compose('exec', '-T', 'gateway', 'ls', '/run/secrets')).trim().split(/\s+/)
    must(!list.includes('postgres-password') && !list.includes('users.acl'), `gateway sees ${list}`)
  })

  await check('every metric that an alert reads has a series', async () => {
    const text = ['asking', 'indexing', 'host'].map((name) => readFileSync(join(clone, `prometheus/rules/${name}.yml`), 'utf8')).join('\n')
    const names = new Set(text.match(/\b(docent|node|pg|redis|nginx|process)_[a-zA-Z0-9_]+\b/g))
    const missing = []
    for (const name of names) if ((await metricsQuery(`count(${name})`)).length === 0) missing.push(name)
    must(missing.length === 0, `none for ${missing}`)
    return `${names.size} metrics`
  })
  await check('a certificate put into TLS_DIR is served without a restart', async () => {
    await compose('exec', '-T', 'nginx', 'curl', '-fsS', 'http://127.0.0.1:8081/certificate').then((text) =>
      must(/nginx_certificate_usable 1\n/.test(text), text),
    )
    env.TLS_MODE = 'files'
    await compose('up', '-d', '--wait', '--no-build', 'nginx')
    must(/TLS_DIR holds no fullchain\.pem/.test(await compose('logs', 'nginx')), 'nothing is said of the files that are missing')
    const live = join(work, 'live')
    const [key, chain] = [join(live, 'privkey.pem'), join(live, 'fullchain.pem')]
    mkdirSync(live)
    const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2', '-subj', '/CN=own.example']
    execFileSync('openssl', ['req', '-x509', ...curve, '-keyout', key, '-out', chain], { stdio: 'pipe' })
    execFileSync(join(clone, 'compose/bin/certificate'), [live], { stdio: 'pipe' })
    await until('it is served', 40, async () => /CN=own\.example/.test(await subject()))
  })
  await check('a backup comes back on an empty machine, and nothing is embedded again', async () => {
    const backup = join(work, 'backup')
    const chunks = async () =>
      (
        await compose(
          ...['exec', '-T', 'postgres', 'psql', '-U', 'docent_owner', '-d', 'docent', '-Atc'],
          "SELECT count(*), md5(string_agg(id::text, ',' ORDER BY id)) FROM corpus.chunk",
        )
      ).trim()
    const before = await chunks()
    await exec(join(clone, 'compose/bin/backup'), [backup], { env })
    const refused = await exec(join(clone, 'compose/bin/restore'), [backup], { env }).then(
      () => '',
      ({ stderr }) => stderr,
    )
    must(/there is a stack here already/.test(refused), `a restore over a stack was not refused: ${refused}`)
    await compose('down', '--volumes', '--timeout', '10')
    env.MONITORING = '0'
    await exec(join(clone, 'compose/bin/restore'), [backup], { env, maxBuffer: 1 << 27 })
    must((await chunks()) === before, `chunks: ${before} before, ${await chunks()} after`)
    const key = (await compose('run', '--rm', '-T', 'secrets', 'show', 'admin-key')).trim()
    must(key === adminKey, 'the admin key is another')
    const { counts } = (await call('/api/v1/documents?limit=1', { headers: admin() })).json()
    must(counts.ready > 0 && !counts.queued && !counts.indexing, JSON.stringify(counts))
    must((await ask('How long is the warranty?')).sources.length > 0, 'an answer has no sources')
    must(!/"embedded":[1-9]/.test(await compose('logs', 'ingest')), 'a document was embedded again')
    return before
  })
}

try {
  await prepare()
  await checks()
} catch (error) {
  failed++
  console.log(`FAILED to prepare: ${error.message}`)
} finally {
  if (process.env.KEEP) console.log(`left up: cd ${clone} && COMPOSE_PROJECT_NAME=${project} docker compose ps`)
  else {
    if (existsSync(clone)) spawnSync('docker', ['compose', 'down', '--volumes', '--timeout', '10'], { cwd: clone, env, stdio: 'ignore' })
    rmSync(work, { recursive: true, force: true })
  }
}
console.log(`${passed} passed, ${failed} failed`)
process.exitCode = failed === 0 ? 0 : 1
