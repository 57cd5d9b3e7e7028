import { spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core'

/** Chromium from PATH, or undefined. In CI it has to be there. */
export function findChromium(): string | undefined {
  const found = ['chromium', 'chromium-browser', 'google-chrome'].find((name) => spawnSync(name, ['--version']).status === 0)
  if (!found && process.env.CI) throw new Error('chromium is missing: apt-get install chromium')
  return found && spawnSync('which', [found], { encoding: 'utf8' }).stdout.trim()
}

export function launch(executablePath: string): Promise<Browser> {
  // root has no sandbox
  return chromium.launch({ executablePath, args: process.getuid?.() === 0 ? ['--no-sandbox'] : [] })
}

export type Watched = {
  page: Page
  /** console errors and warnings, uncaught errors, refusals by the content security policy */
  complaints: string[]
  dialogs: string[]
  /** addresses asked of any other host */
  foreign: string[]
}

/** A page of its own browser profile, with everything noted that must not happen on it. */
export async function openPage(browser: Browser, url: string, options: BrowserContextOptions = {}): Promise<Watched> {
  const context = await browser.newContext({ locale: 'en-GB', viewport: { width: 1000, height: 800 }, ...options })
  const watched: Omit<Watched, 'page'> = { complaints: [], dialogs: [], foreign: [] }
  const own = new URL(url).host
  context.on('request', (request) => {
    const asked = new URL(request.url())
    if (/^https?:$/.test(asked.protocol) && asked.host !== own) watched.foreign.push(request.url())
  })
  context.on('console', (message) => {
    if (['error', 'warning'].includes(message.type())) watched.complaints.push(message.text())
  })
  context.on('weberror', (error) => watched.complaints.push(String(error.error())))
  context.on('dialog', (dialog) => {
    watched.dialogs.push(dialog.message())
    void dialog.dismiss()
  })
  const page = await context.newPage()
  page.setDefaultTimeout(30_000)
  await page.goto(url)
  return { page, ...watched }
}

export type Line = AsyncDisposable & { url: string; cut(): void; mend(): void }

/** A wire to `target` that can be cut and mended. */
export async function openLine(target: string): Promise<Line> {
  const { port } = new URL(target)
  const open = new Set<Socket>()
  let isCut = false
  const server = createServer((near) => {
    if (isCut) return void near.destroy()
    const far = connect(Number(port), '127.0.0.1')
    for (const [one, other] of [
      [near, far],
      [far, near],
    ] as const) {
      open.add(one)
      one.on('error', () => other.destroy())
      one.on('close', () => {
        open.delete(one)
        other.destroy()
      })
      one.pipe(other)
    }
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const hangUp = () => {
    for (const socket of open) socket.destroy()
  }
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    cut() {
      isCut = true
      hangUp()
    },
    mend() {
      isCut = false
    },
    async [Symbol.asyncDispose]() {
      hangUp()
      await new Promise((done) => server.close(done))
    },
  }
}
