// What `npm start` needs of the machine, looked at before anything is fetched: Node's built-ins only.
import { accessSync, constants, existsSync, readdirSync } from 'node:fs'
import { homedir } from 'node:os'
import { delimiter, join } from 'node:path'

// What the npm build of Chroma's server is linked against; stores/chroma.ts fetches it where the system's is older.
const neededGlibc = [2, 39]

/**
 * One sentence for each thing that is missing, in order; empty when all is there.
 * `machine` stands in for the real one in tests.
 */
export function missingOnMachine(machine = thisMachine()) {
  const { env, glibc, has, isCached } = machine
  if (!glibc)
    return ['Without Docker, Docent runs on Linux with glibc only (this one has another C library): use "docker compose up" here.']
  const missing = []
  const lacks = (...tools) => tools.filter((tool) => !has(tool))
  const isOld = glibc[0] < neededGlibc[0] || (glibc[0] === neededGlibc[0] && glibc[1] < neededGlibc[1])
  if (isOld && !env.CHROMA_URL && !isCached('glibc-')) {
    const tools = lacks('apt-get', 'apt-cache', 'dpkg', 'gpgv')
    if (tools.length > 0)
      missing.push(
        `Chroma's server needs glibc ${neededGlibc.join('.')} and this system has ${glibc.join('.')}; to fetch a newer one beside it, Debian's or Ubuntu's tools are needed, and ${tools.join(', ')} ${tools.length > 1 ? 'are' : 'is'} missing. Install ${tools.length > 1 ? 'them' : 'it'}, set CHROMA_URL to a server that runs, or use "docker compose up".`,
      )
  }
  const needsRedis = !(env.QUEUE_URL && env.CACHE_URL) && !has('redis-server') && !has('valkey-server') && !isCached('redis-')
  if (needsRedis && lacks('apt-get', 'dpkg').length > 0)
    missing.push(
      'redis-server or valkey-server is needed: install one of them, set QUEUE_URL and CACHE_URL to servers that run, or use "docker compose up".',
    )
  return missing
}

function thisMachine() {
  const folders = [...(process.env.PATH ?? '').split(delimiter), '/usr/bin', '/usr/local/bin']
  const cache = join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'docent')
  const cached = existsSync(cache) ? readdirSync(cache) : []
  // Otherwise the report looks up the names of open connections, which can take seconds.
  Object.assign(process.report, { excludeNetwork: true })
  return {
    env: process.env,
    glibc: process.report.getReport().header.glibcVersionRuntime?.split('.').map(Number),
    has: (tool) => folders.some((folder) => isExecutable(join(folder, tool))),
    // A name with one more dot is a draft that was not finished.
    isCached: (prefix) => cached.some((name) => name.startsWith(prefix) && !/-x64\./.test(name)),
  }
}

function isExecutable(path) {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}
