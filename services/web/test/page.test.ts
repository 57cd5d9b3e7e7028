import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Browser, Page, Route } from 'playwright-core'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, inject, it } from 'vitest'
import { type MockUpstream, openMockUpstream } from '../../lib/testkit/src/mock-upstream.ts'
import { type Stack, startStack } from '../../lib/testkit/src/start-stack.ts'
import { until } from '../../lib/testkit/src/until.ts'
import { findChromium, type Line, launch, openLine, openPage, type Watched } from './browser.ts'
import { hostile } from './hostile.ts'

const executable = findChromium()
const samples = fileURLToPath(new URL('../../../documents/', import.meta.url))
/** what stands in the folder in charsets of their own, and what a browser has to show of it */
const legacy = {
  'lease.txt': [
    'cce1c7b0bde2d4bcb5c4cea5d4bcbdf0ceaac1bdb8f6d4c2d7e2bdf0a3acd1babdf0b2bbd3e8cdcbbbb9a1a3',
    '提前解约的违约金为两个月租金，押金不予退还。',
  ],
  'leave.html': [
    'a67eb0b2badeb27abfecaa6ba147adfba475a843a67ea8c9a6b3a451a4ada4d1b161c17ea67eb0b2a143',
    '年假管理辦法：員工每年享有十五天帶薪年假。',
  ],
  'note.csv': [Buffer.from('\ufeff物品,数量\n螺丝,12\n', 'utf16le').toString('hex'), '螺丝'],
} as const
const long = Array.from({ length: 60 }, (_, i) => `Piece ${i + 1} of the answer [1]. `)

/** The whole product with a mock model, and Debian's Chromium in front of it. */
describe.skipIf(!executable)(executable ? 'the page in a browser' : 'the page in a browser, for chromium is missing', () => {
  const scope = new AsyncDisposableStack()
  let stack: Stack
  let model: MockUpstream
  let browser: Browser
  let line: Line

  beforeAll(async () => {
    const folder = mkdtempSync(join(tmpdir(), 'docent-page-'))
    scope.defer(() => rmSync(folder, { recursive: true, force: true }))
    mkdirSync(join(folder, 'warranty'))
    copyFileSync(join(samples, 'warranty/limited-warranty.md'), join(folder, 'warranty/limited-warranty.md'))
    copyFileSync(join(samples, 'product/arc-a1-manual.zh.pdf'), join(folder, 'arc-a1-manual.zh.pdf'))
    writeFileSync(
      join(folder, '<img src=x onerror=alert(0)>.md'),
      `# Albatross ${hostile[1]}\n\nThe Albatross code is: ${hostile.join('\n\n')}`,
    )
    for (const [name, [hex]] of Object.entries(legacy)) writeFileSync(join(folder, name), Buffer.from(hex, 'hex'))
    model = scope.use(await openMockUpstream({ pieceMs: 0 }))
    stack = await startStack(inject('stores'), scope, { folder, env: { LLM_BASE_URL: model.url, LLM_MODEL: 'mock' } })
    browser = await launch(executable!)
    scope.defer(() => browser.close())
    line = scope.use(await openLine(stack.url))
    await until('the folder is indexed', async () => ((await stack.documents()).counts.ready === 6 ? true : undefined), 60_000)
  }, 120_000)
  afterAll(() => scope.disposeAsync())
  beforeEach(() => {
    Object.assign(model, { mode: 'good', pieces: ['The warranty period is 24 months ', '[1].'], pieceMs: 0 })
  })
  // a page that stays open goes on drawing and asking
  afterEach(async () => {
    for (const context of browser.contexts()) await context.close()
  })

  async function ask(page: Page, question: string): Promise<void> {
    await page.fill('#question', question)
    await page.press('#question', 'Enter')
  }
  const ended = (page: Page) => page.waitForSelector('.turn:last-child:not(.is-running)')
  const textOf = (page: Page, selector: string) => page.locator(selector).last().innerText()
  const expectClean = ({ complaints, dialogs, foreign }: Watched) =>
    expect({ complaints, dialogs, foreign }).toEqual({ complaints: [], dialogs: [], foreign: [] })

  /** Asks slowly and waits until some of the answer is on the page. */
  async function askSlowly(page: Page, question: string): Promise<void> {
    Object.assign(model, { mode: 'slow', pieces: long, pieceMs: 40 })
    await ask(page, question)
    await page.waitForFunction(() => document.querySelector('.answer')?.textContent?.includes('Piece 3'))
    expect(await page.locator('.turn.is-running').count()).toBe(1)
  }

  async function expectWhole(page: Page): Promise<void> {
    await ended(page)
    const shown = (await textOf(page, '.answer')).replace(/\s+/g, '')
    expect(shown).toBe(long.join('').replace(/[[\]\s]/g, ''))
  }

  it('streams an answer, opens its source with the quoted words marked, and leads to the original', async () => {
    const watched = await openPage(browser, line.url)
    const { page } = watched
    expect(await page.evaluate(() => [document.documentElement.lang, document.activeElement?.id])).toEqual(['en', 'question'])
    model.pieces = ['The warranty period for Lumen hardware is 24 months from the date on the invoice. ', '[1]']
    await ask(page, 'How long is the warranty period?')
    await ended(page)
    await page.locator('.answer .marker').press('Enter')
    const card = page.locator('.source[open]')
    await card.locator('mark').waitFor()
    expect(await card.locator('mark').innerText()).toBe('The warranty period for Lumen hardware is 24 months from the date on the invoice.')
    expect(await card.locator('summary').innerText()).toContain('1. How long the warranty lasts')
    const link = card.getByRole('link', { name: 'Open the original' })
    const original = await page.request.get(new URL((await link.getAttribute('href'))!, line.url).href)
    expect(await original.text()).toContain('# Lumen Limited Warranty')
    await page.getByRole('button', { name: 'Helpful', exact: true }).click()
    await page.getByText('Noted, thank you.').waitFor()
    model.pieces = ['The second time it says 24 months ', '[1].']
    await page.getByRole('button', { name: 'Answer anew' }).click()
    await page.getByText('The second time it says').waitFor()
    await ended(page)
    await page.reload()
    await page.getByText('The second time it says').waitFor()
    expect([await page.locator('.turn').count(), await page.locator('.question').count()]).toEqual([2, 1])
    expect(await page.locator('.anew:visible').count()).toBe(1)
    expectClean(watched)
  })

  it('greets and speaks Chinese to a Chinese browser, quotes when the model is down and says so, and opens a PDF at its page', async () => {
    const greeting = { zh: '你好，<b>我是小流</b>。', en: 'Hello, I am Lumi.' }
    const headers = { 'content-type': 'application/json', authorization: `Bearer ${stack.adminKey}` }
    const greets = await fetch(`${stack.url}/api/v1/personas/neutral`, { method: 'PATCH', headers, body: JSON.stringify({ greeting }) })
    expect(greets.status).toBe(200)
    const watched = await openPage(browser, line.url, { locale: 'zh-CN', viewport: { width: 390, height: 844 }, colorScheme: 'dark' })
    const { page } = watched
    expect(await page.getAttribute('html', 'lang')).toBe('zh-CN')
    await page.getByText(greeting.zh).waitFor()
    Object.assign(model, { mode: 'status', status: 401 })
    await ask(page, 'Arc A1 台灯的额定功率是多少？')
    await ended(page)
    expect(await textOf(page, '.note.is-warning')).toBe('语言模型没有回答，本回答未使用语言模型。')
    await page.locator('.answer .marker').first().click()
    const link = page.locator('.source[open] .foot a')
    expect(await link.innerText()).toMatch(/^打开原文件第 \d 页$/)
    expect(await link.getAttribute('href')).toMatch(/^\/api\/v1\/citations\/[\w-]{22}\/file#page=\d$/)
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(390)
    expect(await textOf(page, '#status')).toBe('回答完毕。')
    await page.getByRole('button', { name: 'English' }).click()
    await page.getByText('Sources', { exact: true }).waitFor()
    expect([await page.isVisible('#greeting'), await page.textContent('#greeting')]).toEqual([false, greeting.en])
    expect(await textOf(page, '#status')).toBe('The answer is complete.')
    expect(await textOf(page, '.note.is-warning')).toBe('The language model did not answer; this answer does without it.')
    expectClean(watched)
  })

  it('stops in mid-answer, and the model hears of it', async () => {
    const watched = await openPage(browser, line.url)
    const { page } = watched
    const hangUps = model.hangUps.length
    await askSlowly(page, 'Stop: how long is the warranty period?')
    await page.getByRole('button', { name: 'Stop' }).click()
    await ended(page)
    expect(await textOf(page, '.notes')).toBe('Stopped.')
    expect(await textOf(page, '#status')).toBe('Stopped.')
    await until('the model was hung up on', () => (model.hangUps.length > hangUps ? true : undefined))
    expect(await page.locator('#ask').isVisible()).toBe(true)
    expectClean(watched)
  })

  it('goes on after a reload in mid-answer, and a second tab shows the same', async () => {
    const watched = await openPage(browser, line.url)
    const { page } = watched
    await askSlowly(page, 'Reload: how long is the warranty period?')
    const second = await page.context().newPage()
    await Promise.all([page.reload(), second.goto(page.url())])
    await expectWhole(page)
    await expectWhole(second)
    expect(await page.locator('.turn').count()).toBe(1)
    await page.reload()
    await expectWhole(page)
    expectClean(watched)
  })

  it('goes on when the network is cut in mid-answer and comes back', async () => {
    const { page } = await openPage(browser, line.url)
    await askSlowly(page, 'Cut: how long is the warranty period?')
    line.cut()
    await page.getByText('reconnecting').first().waitFor()
    line.mend()
    await expectWhole(page)
    line.cut()
    await ask(page, 'Refused: how long is the warranty period?')
    await page.getByText('The server does not answer.').waitFor()
    line.mend()
    model.mode = 'good'
    await page.getByRole('button', { name: 'Ask again' }).click()
    await expectWhole(page)
    expect(await page.locator('.turn').count()).toBe(2)
  })

  it('lists the chats of this browser, opens one and deletes it', async () => {
    const watched = await openPage(browser, line.url)
    const { page } = watched
    await ask(page, 'History: how long is the warranty period?')
    await ended(page)
    await page.getByRole('button', { name: 'New chat' }).click()
    expect(await page.locator('.turn').count()).toBe(0)
    await ask(page, 'Who won the football world cup in 1998?')
    await ended(page)
    expect(await textOf(page, '.answer')).toContain('do not contain an answer')
    await page.getByRole('button', { name: 'Chats' }).click()
    await page.getByRole('link', { name: 'History: how long' }).click()
    await page.getByText('The warranty period is 24 months').waitFor()
    await page.goBack()
    await page.getByText('do not contain an answer').waitFor()
    await page.goForward()
    await page.getByText('The warranty period is 24 months').waitFor()
    const remove = page.getByRole('button', { name: /^Delete.*History: how long/ })
    await remove.click()
    expect(await remove.innerText()).toBe('Delete for good')
    await remove.click()
    await remove.waitFor({ state: 'detached' })
    expect(await page.locator('.turn').count()).toBe(0)
    await page.getByRole('link', { name: 'Who won' }).waitFor()
    expectClean(watched)
  })

  it('asks for a key before the first question, says what became of it, and then asks the question that waited', async () => {
    const { page } = await openPage(browser, line.url)
    const isKeyless = (route: Route) => route.request().headers().authorization === undefined
    const nobody = { json: { kind: 'anonymous', scopes: [] } }
    await page.route('**/api/v1/me', (route) => (isKeyless(route) ? route.fulfill(nobody) : route.continue()))
    const refusal = { status: 401, contentType: 'application/problem+json', body: '{"code":"unauthorized"}' }
    await page.route('**/api/v1/answers', (route) => (isKeyless(route) ? route.fulfill(refusal) : route.continue()))
    await page.reload()
    await page.locator('#key').waitFor()
    await ask(page, 'Key: how long is the warranty period?')
    await page.locator('.turn .is-error').waitFor()
    for (const wrong of ['wrong-key', '不对的密钥']) {
      await page.fill('#key', wrong)
      await page.press('#key', 'Enter')
      await page.getByText('This key is not known').waitFor()
      expect([await page.isVisible('#key'), await page.inputValue('#key')]).toEqual([true, wrong])
    }
    await page.fill('#key', stack.adminKey)
    await page.press('#key', 'Enter')
    await page.getByText('The key was accepted.').waitFor()
    await page.getByText('The warranty period is 24 months').waitFor()
    expect([await page.locator('.turn').count(), await page.isVisible('#key')]).toEqual([1, false])
  })

  it('cuts no question that is too long, and asks in a new chat where the old one was deleted meanwhile', async () => {
    const { page } = await openPage(browser, line.url)
    const words = '长'.repeat(4_100)
    await ask(page, words)
    expect(await textOf(page, '#length')).toContain('4100 / 4000')
    expect([await page.inputValue('#question'), await page.locator('.turn').count()]).toEqual([words, 0])
    await ask(page, 'Deleted: how long is the warranty period?')
    await ended(page)
    expect(await page.isVisible('#length')).toBe(false)
    const before = page.url()
    const status = await page.evaluate(async () => {
      const headers = { 'x-client-id': localStorage.getItem('docent-client') ?? '' }
      return (await fetch(`/api/v1/conversations/${location.hash.slice(3)}`, { method: 'DELETE', headers })).status
    })
    expect(status).toBe(204)
    await ask(page, 'And after it was deleted: how long is the warranty period?')
    await page.getByRole('button', { name: 'Ask in a new chat' }).click()
    await page.getByText('The warranty period is 24 months').waitFor()
    expect(await page.locator('.turn').count()).toBe(1)
    expect(page.url()).not.toBe(before)
  })

  it('calls passages that no sentence names found ones, and warns, also after a reload', async () => {
    const watched = await openPage(browser, line.url)
    const { page } = watched
    model.pieces = ['The warranty period ', 'is 98 months.']
    await ask(page, 'Uncited: how long is the warranty period?')
    for (const again of [false, true]) {
      if (again) await page.reload()
      await ended(page)
      await page.getByText('Passages found', { exact: true }).waitFor()
      expect(await page.locator('.notes .is-warning').allInnerTexts()).toEqual([
        'No sentence of this answer names a source: nothing in it was checked.',
      ])
    }
    expectClean(watched)
  })

  it('renames a chat and shares it as a page to read', async () => {
    const watched = await openPage(browser, line.url)
    const { page } = watched
    await ask(page, 'Share: how long is the warranty period?')
    await ended(page)
    await page.getByRole('button', { name: 'Chats' }).click()
    await page.getByRole('button', { name: 'Rename: Share' }).click()
    await page.fill('#history-list input', 'Guarantee of the lamp')
    await page.press('#history-list input', 'Enter')
    await page.getByRole('button', { name: 'Share: Guarantee' }).click()
    const link = /http\S+/.exec(await textOf(page, '#history-list .link'))![0]
    expect(await (await fetch(link)).json()).toMatchObject({ title: 'Guarantee of the lamp' })
    const other = await openPage(browser, link, { locale: 'zh-CN' })
    // who may not ask may read it, and is asked for a key when he wants to ask himself
    await other.page.route('**/api/v1/me', (route) => route.fulfill({ json: { kind: 'anonymous', scopes: [] } }))
    await other.page.reload()
    await other.page.getByRole('heading', { name: 'Guarantee of the lamp' }).waitFor()
    await other.page.getByText('The warranty period is 24 months').waitFor()
    expect([await other.page.locator('.turn').count(), await other.page.isVisible('#question')]).toEqual([1, false])
    expect(await other.page.isVisible('#key')).toBe(false)
    await other.page.getByRole('button', { name: '新对话' }).click()
    await other.page.locator('#key').waitFor()
    expect([await other.page.locator('.turn').count(), await other.page.isVisible('#question')]).toEqual([0, true])
    expectClean(watched)
    expectClean(other)
  })

  it('keeps the header beside a panel on a narrow page, closes the panel by its button and says in Chinese why a file failed and which page is read', async () => {
    const watched = await openPage(browser, line.url, { viewport: { width: 500, height: 700 }, hasTouch: true })
    const { page } = watched
    const items = [
      { path: 'scan.pdf', state: 'failed', error: { code: 'no_text', message: 'The pages hold no text.' } },
      { path: 'odd.bin', state: 'failed', error: { code: 'of_tomorrow', message: 'A reason of tomorrow.' } },
      { path: 'long.pdf', state: 'indexing', progress: { stage: 'ocr', unit: 'page', done: 31, total: 250 } },
      ...Array.from({ length: 40 }, (_, i) => ({ path: `paper-${i}.md`, state: 'ready' })),
    ]
    await page.route('**/api/v1/documents?*', (route) => route.fulfill({ json: { items, counts: { failed: 2, ready: 40 } } }))
    await page.reload()
    for (const name of ['documents', 'history']) {
      await page.locator(`#${name}-button`).tap()
      await page.locator(`#${name}-button`).click({ trial: true }) // nothing covers it
      await page.locator(`#${name}`).evaluate((panel) => panel.scrollTo(0, panel.scrollHeight))
      await page.locator(`#${name}`).getByRole('button', { name: 'Close' }).tap()
      expect(await page.locator(`#${name}`).isVisible()).toBe(false)
      expect(await page.evaluate(() => document.activeElement?.id)).toBe(`${name}-button`)
    }
    await page.keyboard.press('Enter')
    await page.keyboard.press('Escape')
    await page.locator('#language').tap()
    await page.locator('#documents-button').press('Enter')
    await page.keyboard.press('Tab')
    expect(await page.evaluate(() => document.activeElement?.textContent)).toBe('关闭')
    expect(await page.locator('#document-list .note').allInnerTexts()).toEqual([
      '第 31/250 页 · 由文字识别读出',
      'A reason of tomorrow.',
      '页面中没有可读取的文字：请启用文字识别（OCR），或换用带文字的文件。',
    ])
    await page.keyboard.press('Enter')
    expect(await page.locator('#documents').isVisible()).toBe(false)
    expectClean(watched)
  })

  it('marks what could not be checked across languages', async () => {
    const { page } = await openPage(browser, line.url)
    model.pieces = ['硬件可以退换两次以上 ', '[1][2][3].']
    await ask(page, 'How long is the warranty for Lumen hardware?')
    await ended(page)
    expect(await page.locator('.marker').evaluateAll((all) => all.map((one) => one.getAttribute('title')))).toContain(
      'The source is in another language: not checked word by word',
    )
  })

  it('says 429, a used-up budget and 503 in plain words and offers to ask again', async () => {
    const { page, dialogs } = await openPage(browser, line.url)
    const problems = [
      [429, 'rate_limited', 'Too many questions in a short time. Try again in 7 s.'],
      [429, 'budget_exhausted', 'What is left of the budget does not cover another answer. It begins anew tomorrow.'],
      [503, 'unavailable', 'The server is busy or a part of it is down. Try again in 7 s.'],
    ] as const
    const headers = { 'retry-after': '7' }
    for (const [status, code, words] of problems) {
      const answers = '**/api/v1/answers'
      const body = JSON.stringify({ code, detail: 'x' })
      await page.route(answers, (route) => route.fulfill({ status, contentType: 'application/problem+json', headers, body }))
      await ask(page, `How long is the warranty period? ${code}`)
      expect(await textOf(page, '.turn .is-error')).toBe(words)
      await page.unroute(answers)
      await page.getByRole('button', { name: 'Ask again' }).click()
      await page.locator('.turn .is-error').waitFor({ state: 'detached' })
      await ended(page)
    }
    expect(await page.locator('.turn').count()).toBe(problems.length)
    Object.assign(model, { mode: 'cut', pieces: ['Twenty-four ', 'months [1].'] })
    await ask(page, 'Lost: how long is the warranty period?')
    await ended(page)
    expect(await textOf(page, '.turn .is-error')).toBe('The connection to the language model was lost; what it said until then is kept.')
    expect(dialogs).toEqual([])
  })

  it('takes hostile answers, documents and names for text: no dialog, no request to another host', async () => {
    const watched = await openPage(browser, line.url)
    const { page } = watched
    const together = 4
    for (let i = 0; i < hostile.length; i += together) {
      // in two pieces each, so that what stands on the page in between is looked at too
      model.pieces = [...hostile.slice(i, i + together).flatMap((text) => [text.slice(0, 7), `${text.slice(7)}\n\n`]), 'end of it [1]']
      await ask(page, `What is the Albatross code number ${i}?`)
      await page.locator('.turn:last-child .answer:has-text("end of it")').waitFor()
      await page.waitForSelector('#ask:not([hidden])')
    }
    await page.evaluate(() => {
      for (const card of document.querySelectorAll('details')) card.open = true
    })
    await page.getByText('The Albatross code is').first().waitFor()
    await page.getByRole('button', { name: 'Documents' }).click()
    await page.getByText('<img src=x onerror=alert(0)>.md').first().waitFor()
    await page.getByRole('button', { name: 'Chats' }).click()
    const made =
      'script, img, svg, iframe, object, embed, link, style, base, meta, form, input, video, template, a:not(.foot a), [onclick], [onerror]'
    expect(await page.locator('#turns').locator(made).count()).toBe(0)
    const original = await page.context().newPage()
    await original.goto(new URL((await page.locator('.foot a').first().getAttribute('href'))!, line.url).href)
    expect(await original.locator('img, iframe, svg').count()).toBe(0)
    expectClean(watched)
  }, 60_000)

  it('shows the original of a file in another charset as it was read', async () => {
    const { items } = await stack.documents()
    const page = await browser.newPage()
    for (const [path, [hex, words]] of Object.entries(legacy)) {
      const url = `${line.url}/api/v1/documents/${items.find((one) => one.path === path)!.id}/file`
      const { headers, status } = await page.request.get(url, { headers: { range: 'bytes=0-3' } }).then(async (response) => {
        expect((await response.body()).toString('hex')).toBe(hex.slice(0, 8))
        return { headers: response.headers(), status: response.status() }
      })
      expect([status, headers['content-range'], headers['content-security-policy']]).toEqual([
        206,
        `bytes 0-3/${hex.length / 2}`,
        expect.stringContaining('sandbox'),
      ])
      const shown = await page.request.get(url)
      const charset = /^text\/\w+; charset=([\w-]+)$/.exec(shown.headers()['content-type'] ?? '')?.[1]
      expect(new TextDecoder(charset).decode(await shown.body())).toContain(words)
      if (path.endsWith('.csv')) continue // a browser saves it
      await page.goto(url)
      expect(await page.innerText('body')).toContain(words)
    }
    await page.close()
  })

  it('shows every operation of /openapi.json at /docs', async () => {
    const watched = await openPage(browser, `${line.url}/docs`)
    const { paths } = (await (await fetch(`${stack.url}/openapi.json`)).json()) as { paths: Record<string, object> }
    const operations = Object.entries(paths).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
    )
    await watched.page
      .locator('.opblock')
      .nth(operations.length - 1)
      .waitFor()
    const shown = await watched.page
      .locator('.opblock-summary')
      .evaluateAll((all) =>
        all.map(
          (one) =>
            `${one.querySelector('.opblock-summary-method')?.textContent} ${one.querySelector('[data-path]')?.getAttribute('data-path')}`,
        ),
      )
    expect(shown.toSorted()).toEqual(operations.toSorted())
    const first = watched.page.locator('.opblock', { has: watched.page.locator('[data-path="/api/v1/ask"]') })
    await first.locator('.opblock-summary-control').click()
    await first.getByRole('button', { name: 'Try it out' }).click()
    await first.getByRole('button', { name: 'Execute' }).click()
    await first.locator('.live-responses-table .response-col_status', { hasText: '200' }).waitFor()
    expectClean(watched)
  })

  it('runs the examples of /openapi.json as they are pasted', async () => {
    type Body = { content?: Record<string, { example?: object }> }
    const { paths } = (await (await fetch(`${stack.url}/openapi.json`)).json()) as {
      paths: Record<string, { post?: { requestBody?: Body } }>
    }
    const { id: answerId } = await stack.ask('Examples: how long is the warranty period?')
    const outcomes: [string, number][] = []
    for (const [path, { post }] of Object.entries(paths)) {
      const example = post?.requestBody?.content?.['application/json']?.example
      if (!example) continue
      const at = path.replace('{answerId}', answerId).replace('/personas/{id}', '/personas/neutral')
      // a key has to be made first: the gateway's tests do
      if (at.includes('{')) continue
      // a second model has to be configured, or a shadow to run: the stack's and the gateway's tests do
      if (/\/(?:generations(?:\/rollback)?|shadow\/promote)$/.test(at)) continue
      const body = JSON.stringify('answerId' in example ? { ...example, answerId } : example)
      // a conversation goes on with whoever began it, and with nobody else
      const isOwners = path.endsWith('/regenerate')
      const headers = { 'content-type': 'application/json', ...(isOwners ? {} : { authorization: `Bearer ${stack.adminKey}` }) }
      const response = await fetch(`${stack.url}${at}`, { method: 'POST', headers, body })
      await response.text()
      outcomes.push([path, response.status])
    }
    expect(outcomes.length).toBeGreaterThan(8)
    expect(outcomes.filter(([, status]) => status >= 300)).toEqual([])
  })
})
