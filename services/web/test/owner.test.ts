import { copyFileSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Browser, Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, describe, expect, inject, it } from 'vitest'
import { type Stack, startStack } from '../../lib/testkit/src/start-stack.ts'
import { until } from '../../lib/testkit/src/until.ts'
import { findChromium, launch, openPage, type Watched } from './browser.ts'

const executable = findChromium()
const warranty = fileURLToPath(new URL('../../../documents/warranty/limited-warranty.md', import.meta.url))
const asked = 'How long is the warranty period?'
const unknown = 'Who won the football world cup in 1998?'

/** The whole product without a model, and Debian's Chromium in front of it. */
describe.skipIf(!executable)(executable ? "the owner's part of the page" : "the owner's part of the page, for chromium is missing", () => {
  const scope = new AsyncDisposableStack()
  let stack: Stack
  let browser: Browser

  beforeAll(async () => {
    const folder = mkdtempSync(join(tmpdir(), 'docent-owner-'))
    scope.defer(() => rmSync(folder, { recursive: true, force: true }))
    copyFileSync(warranty, join(folder, 'limited-warranty.md'))
    writeFileSync(join(folder, 'broken.docx'), 'no archive')
    stack = await startStack(inject('stores'), scope, { folder })
    browser = await launch(executable!)
    scope.defer(() => browser.close())
    await stack.settled('limited-warranty.md', 'ready')
    await stack.settled('broken.docx', 'failed')
    await stack.ask(asked)
    await stack.ask(unknown)
  }, 120_000)
  afterAll(() => scope.disposeAsync())
  afterEach(async () => {
    for (const context of browser.contexts()) await context.close()
  })

  const get = async (path: string) => {
    const response = await fetch(`${stack.url}${path}`, { headers: { authorization: `Bearer ${stack.adminKey}` } })
    return response.json()
  }
  const expectClean = ({ complaints, dialogs, foreign }: Watched) =>
    expect({ complaints, dialogs, foreign }).toEqual({ complaints: [], dialogs: [], foreign: [] })
  const questions = (page: Page) => page.locator('#owner-body > div .lines > li > .line').allInnerTexts()
  const press = (page: Page, name: string) => page.locator('#owner').getByRole('button', { name, exact: true }).press('Enter')

  async function enter(page: Page): Promise<void> {
    expect(await page.locator('#owner-button').isVisible()).toBe(false)
    await page.locator('#owner-enter').click()
    await page.fill('#key', stack.adminKey)
    await page.press('#key', 'Enter')
    await page.locator('#owner-button').waitFor()
  }

  it('lists the questions to who has the admin key, and one is asked again, approved and made a golden question', async () => {
    const watched = await openPage(browser, stack.url)
    const { page } = watched
    await enter(page)
    await page.locator('#owner-button').press('Enter')
    await page.getByRole('button', { name: unknown }).waitFor()
    expect(await questions(page)).toEqual([unknown, asked])
    expect(await page.locator('#owner .lines .badge').allInnerTexts()).toEqual(['not found', 'answered'])
    await press(page, 'Weakly answered')
    await page.getByRole('button', { name: asked }).waitFor({ state: 'detached' })
    expect(await questions(page)).toEqual([unknown])
    await press(page, 'Thumbs down')
    await page.getByText('There are no such questions.').waitFor()
    await press(page, 'All')
    await press(page, asked)
    await page.getByRole('heading', { name: asked }).waitFor()
    expect(await page.evaluate(() => document.activeElement?.tagName)).toBe('H3')
    expect(await page.locator('.record').innerText()).toMatch(/24 months[\s\S]*cited[\s\S]*Until the first word/)
    await page.getByText('Passages looked at').click()
    await page.getByText('Kept.').first().waitFor()
    await press(page, 'Ask again with today’s settings')
    await page.getByText('The answer is the same today.').waitFor()

    await page.getByText('Approve this answer').click()
    const words = page.getByLabel('Words of the answer')
    await words.fill('24 months [9].')
    await words.locator('xpath=ancestor::details').getByRole('button', { name: 'Save' }).click()
    await page.locator('.is-error').getByText('[9]').waitFor()
    await words.fill('24 months from the date on the invoice [1].')
    await words.press('Escape')
    await page.locator('#owner-button').click()
    expect(await words.inputValue()).toBe('24 months from the date on the invoice [1].')
    await words.locator('xpath=ancestor::details').getByRole('button', { name: 'Save' }).click()
    await page.getByText('Approved. Whoever asks').waitFor()
    expect((await stack.ask(asked)).text).toBe('24 months from the date on the invoice [1].')

    await page.getByText('Make it a golden question').click()
    const right = page.getByLabel('Right document')
    await right.selectOption({ label: 'Another document …' })
    await page.getByLabel('Path of the document').fill('nowhere.md')
    const save = right.locator('xpath=ancestor::details').getByRole('button', { name: 'Save' })
    await save.click()
    await page.locator('.is-error').getByText('there is no document "nowhere.md"').waitFor()
    await right.selectOption('limited-warranty.md')
    await save.click()
    await page.getByText('Kept as a golden question.').waitFor()
    expect((await get('/api/v1/golden')).questions).toMatchObject([{ q: asked, doc: 'limited-warranty.md', answer: null }])
    await press(page, '‹ Back')
    await page.getByRole('button', { name: unknown }).waitFor()
    expect(await page.locator('#owner .lines .line').count()).toBe(3)
    await press(page, 'Use')
    await page.getByText('Tokens of a day').waitFor()
    const [{ requests }] = (await get('/api/v1/usage?principal=*')).items
    expect(await page.locator('#owner dd').allInnerTexts()).toEqual(Array(2).fill(`questions ${requests} · tokens 0`))
    // the server's 400 to what was wrong stands in the console
    expect(watched.complaints.filter((line) => !line.includes('400'))).toEqual([])
    expectClean({ ...watched, complaints: [] })
  })

  it('shows what is answered weakly in Chinese on a telephone, leads to its questions, and says plainly when the key was withdrawn', async () => {
    const watched = await openPage(browser, stack.url, { locale: 'zh-CN', viewport: { width: 390, height: 844 } })
    const { page } = watched
    await enter(page)
    await page.locator('#owner-button').click()
    await page.locator('#gaps-tab').click()
    await page.getByText('问过 1 次').waitFor()
    await page.getByText('最近的例子：1').click()
    await page.locator('#owner details .line').click()
    await page.getByRole('heading', { name: unknown }).waitFor()
    await page.locator('#language').click()
    await page.getByText('It names no document.').or(page.getByText('Sources')).first().waitFor()
    await page.locator('#language').click()
    await page.locator('#gaps-tab').click()
    await page.locator('#owner-body').getByRole('button', { name: unknown }).first().click()
    await page.locator('#owner-body input[type=search]').waitFor()
    expect(await page.locator('#owner-body input[type=search]').inputValue()).toBe(unknown)
    expect(await questions(page)).toEqual([unknown])
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(390)
    expectClean(watched)
    await page.evaluate(() => sessionStorage.setItem('docent-key', 'withdrawn'))
    await page.locator('#gaps-tab').click()
    await page.getByText('服务器拒绝了此操作：仅限管理员，需要管理密钥。').waitFor()
    await page.getByRole('button', { name: '输入密钥' }).click()
    expect(await page.evaluate(() => document.activeElement?.id)).toBe('key')
  })

  it('adds files, asks where a name is taken, tries a failed one again and removes what is gone only after a yes', async () => {
    const watched = await openPage(browser, stack.url)
    const { page } = watched
    await page.locator('#documents-button').click()
    expect(await page.locator('#document-acts').isVisible()).toBe(false)
    await page.locator('#documents').getByRole('button', { name: 'Close' }).click()
    await enter(page)
    await page.locator('#documents-button').click()
    const note = (text: string) => [{ name: 'note.md', mimeType: 'text/markdown', buffer: Buffer.from(text) }]
    const line = page.locator('#uploads li').last()
    await page.setInputFiles('#upload-files', note('# Door\n\nThe spare key hangs behind door 7.'))
    await line.getByText('In the folder').waitFor()
    await stack.settled('note.md', 'ready')
    await page.setInputFiles('#upload-files', note('# Door\n\nThe spare key hangs behind door 8.'))
    await line.getByText('There is another file of that name.').waitFor()
    await line.getByRole('button', { name: 'Keep both' }).press('Enter')
    await line.getByText('Both are kept').waitFor()
    const added = readdirSync(stack.folder).filter((name) => name.startsWith('note'))
    expect(added).toHaveLength(2)
    const dropped = await page.evaluateHandle(() => {
      const data = new DataTransfer()
      data.items.add(new File(['# Door\n\nThe spare key hangs behind door 9.'], 'note.md'))
      return data
    })
    await page.dispatchEvent('#documents', 'drop', { dataTransfer: dropped })
    await line.getByRole('button', { name: 'Replace it' }).click()
    await line.getByText('Replaced').waitFor()
    expect(readFileSync(join(stack.folder, 'note.md'), 'utf8')).toContain('door 9')

    const attempts = async () => {
      const { items } = await stack.documents()
      return (await get(`/api/v1/documents/${items.find(({ path }) => path === 'broken.docx')!.id}/attempts`)).items.length
    }
    const before = await attempts()
    await page.getByRole('button', { name: 'Try again: broken.docx' }).click()
    await until('it was read again', async () => ((await attempts()) > before ? true : undefined))
    await page.getByRole('button', { name: 'Try all failed again' }).click()
    await page.getByText('Being read again: ').waitFor()

    const papers = Array.from({ length: 6 }, (_, i) => `paper-${i}.md`)
    for (const [i, name] of papers.entries()) writeFileSync(join(stack.folder, name), `# Paper ${i}\n\nIt is of ${name}.`)
    await stack.settled('paper-5.md', 'ready')
    await until('all are read', async () => ((await stack.documents()).counts.ready! >= 9 ? true : undefined), 60_000)
    for (const name of papers) rmSync(join(stack.folder, name))
    await until('their removal waits', async () => ((await get('/api/v1/ingest')).pendingRemoval === 6 ? true : undefined))
    await page.locator('#documents-button').click()
    await page.locator('#documents-button').click()
    await page.locator('#held').getByText('Which ones').click()
    expect(await page.locator('#held li').count()).toBe(6)
    await page.getByRole('button', { name: 'Remove them from the answers' }).press('Enter')
    expect((await get('/api/v1/ingest')).pendingRemoval).toBe(6)
    await page.getByRole('button', { name: 'Yes, remove them' }).press('Enter')
    await page.getByText('Removed: 6').waitFor()
    await page.locator('#held').waitFor({ state: 'hidden' })
    // a failed one that stands behind the first two hundred is listed all the same
    await page.route('**/api/v1/documents?limit=200', (route) => route.fulfill({ json: { items: [], counts: { failed: 1, ready: 300 } } }))
    await page.locator('#documents-button').click()
    await page.locator('#documents-button').click()
    await page.locator('#document-list li').nth(1).waitFor({ state: 'detached' })
    await page.getByRole('button', { name: 'Try again: broken.docx' }).waitFor()
    // the server's 409 to a name that is taken stands in the console
    expect(watched.complaints.filter((line) => !line.includes('409'))).toEqual([])
    expectClean({ ...watched, complaints: [] })
  })

  it("gives the admin key only to what is the owner's: the chats stay those of who asked", async () => {
    const { page } = await openPage(browser, stack.url)
    await page.fill('#question', asked)
    await page.press('#question', 'Enter')
    await page.waitForSelector('.turn:last-child:not(.is-running)')
    await page.getByRole('button', { name: 'New chat' }).click()
    await enter(page)
    await page.getByRole('button', { name: 'Chats' }).click()
    await page.getByRole('link', { name: asked }).click()
    await page.locator('.answer').filter({ hasText: '24 months' }).waitFor()
    expect(await page.locator('#history-list a').count()).toBe(1)
  })
})
