// `node services/web/bin/screenshot.ts [URL]`: makes page.png from a running `npm start` over the sample folder.
import { fileURLToPath } from 'node:url'
import { chromium } from 'playwright-core'

const url = process.argv[2] ?? 'http://127.0.0.1:8080'
const path = fileURLToPath(new URL('../page.png', import.meta.url))
await using browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: process.getuid?.() === 0 ? ['--no-sandbox'] : [] })
const page = await browser.newPage({ locale: 'en-GB', viewport: { width: 920, height: 900 } })
await page.goto(url)
await page.fill('#question', 'How long is the warranty?')
await page.press('#question', 'Enter')
await page.waitForSelector('.turn:not(.is-running)')
await page.locator('.answer .marker').first().click()
await page.locator('.source[open] mark').first().waitFor()
await page.evaluate(() => {
  ;(document.activeElement as HTMLElement | null)?.blur()
  document.querySelector('.source[open]')?.scrollIntoView({ block: 'nearest', behavior: 'instant' })
})
await page.screenshot({ path, animations: 'disabled' })
console.log(path)
