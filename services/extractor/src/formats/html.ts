import { Readability } from '@mozilla/readability'
import { parseHTML } from 'linkedom'
import { createBuilder, type DocumentBuilder } from '../document-builder.ts'
import type { Extracted } from '../types.ts'
import { dropUnseen } from './html-unseen.ts'
import { walkBlocks } from './walk-html.ts'

// linkedom and readability recurse; beyond these a page is read by its tags alone.
const MAX_DEPTH = 400
const MAX_DOM_CHARS = 6_000_000
const KEPT_BY_READABILITY = 0.6

export type HtmlOptions = { maxChars: number; mediaType?: string; title?: string; isArticle?: boolean }

export function extractHtml(source: string, { maxChars, mediaType = 'text/html', title, isArticle = true }: HtmlOptions): Extracted {
  const builder = createBuilder(maxChars)
  const found = addHtml(source, builder, isArticle)
  return builder.build(mediaType, { title: title ?? found.title ?? found.firstHeading })
}

/** The article if it holds most of the page, else the whole body: a manual's tables must not vanish as clutter. */
export function addHtml(source: string, builder: DocumentBuilder, isArticle: boolean): { title?: string; firstHeading?: string } {
  const html = /<(?:html|body)[\s>]/i.test(source.slice(0, 20_000)) ? source : `<!doctype html><html><body>${source}</body></html>`
  if (source.length > MAX_DOM_CHARS || depthOf(html) > MAX_DEPTH) {
    builder.note('the page is nested too deeply or is too large: its structure was left out')
    for (const paragraph of stripTags(html)) builder.add('paragraph', paragraph)
    return { title: titleOf(html) }
  }
  const { document } = parseHTML(html)
  const title = document.querySelector('title')?.textContent?.trim() || undefined
  const hidden = dropUnseen(document)
  if (hidden > 0) builder.note(`${hidden} hidden elements were left out`)
  const body = document.body ?? document.documentElement
  const root = (isArticle ? articleOf(html, body) : undefined) ?? body
  return { title, firstHeading: walkBlocks(root, builder) }
}

function articleOf(html: string, body: Element): Element | undefined {
  const whole = visibleLength(body)
  if (whole < 500) return undefined
  const { document } = parseHTML(html)
  dropUnseen(document)
  const article = new Readability<Element>(document, {
    serializer: (node) => node as unknown as Element,
    maxElemsToParse: 50_000,
    charThreshold: 200,
  }).parse()
  if (!article?.content || visibleLength(article.content) < whole * KEPT_BY_READABILITY) return undefined
  const isComplete = ['table', 'pre', 'h1', 'h2', 'h3'].every((name) => countOf(article.content!, name) >= countOf(body, name))
  return isComplete ? article.content : undefined
}

function countOf(root: Element, name: string): number {
  return root.querySelectorAll(name).length
}

function visibleLength(root: Element): number {
  return (root.textContent ?? '').replace(/\s+/g, '').length
}

const voids = new Set('area base br col embed hr img input link meta param source track wbr p li td th tr dt dd option'.split(' '))

function depthOf(html: string): number {
  let depth = 0
  let deepest = 0
  for (const [, slash, name] of html.matchAll(/<(\/?)([a-zA-Z][a-zA-Z0-9-]{0,30})/g)) {
    if (voids.has(name!.toLowerCase())) continue
    depth = slash ? Math.max(0, depth - 1) : depth + 1
    if (depth > deepest) deepest = depth
  }
  return deepest
}

function titleOf(html: string): string | undefined {
  const at = html.slice(0, 50_000).search(/<title/i)
  if (at < 0) return undefined
  return (
    html
      .slice(html.indexOf('>', at) + 1, at + 500)
      .split('<')[0]
      ?.trim() || undefined
  )
}

/** Text without a tree: linear, whatever the nesting. */
function stripTags(html: string): string[] {
  const parts: string[] = []
  let at = 0
  while (at < html.length) {
    const open = html.indexOf('<', at)
    parts.push(html.slice(at, open < 0 ? undefined : open))
    if (open < 0) break
    const name = /^<(script|style|template|head|svg|iframe|noscript)\b/i.exec(html.slice(open, open + 12))?.[1]?.toLowerCase()
    const from = name ? indexOfClose(html, name, open) : html.startsWith('<!--', open) ? html.indexOf('-->', open) : open
    const close = from < 0 ? -1 : html.indexOf('>', from)
    if (close < 0) break
    const isInline = /^<\/?(?:a|b|i|em|strong|span|code|sub|sup|u|font)\b/i.test(html.slice(open, open + 10))
    if (!isInline) parts.push('\n')
    at = close + 1
  }
  return decodeEntities(parts.join(''))
    .split(/\n+/)
    .map((line) => line.replace(/\s+/g, ' ').trim())
    .filter(Boolean)
}

function indexOfClose(html: string, name: string, at: number): number {
  const lower = html.indexOf(`</${name}`, at)
  return lower >= 0 ? lower : html.indexOf(`</${name.toUpperCase()}`, at)
}

const entities: Record<string, string> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'", nbsp: ' ' }

function decodeEntities(text: string): string {
  return text.replace(/&(?:#(\d{1,7})|#x([0-9a-f]{1,6})|([a-z]{2,8}));/gi, (whole, decimal, hex, name) => {
    const code = decimal ? Number(decimal) : hex ? Number.parseInt(hex, 16) : undefined
    if (code !== undefined) return code <= 0x10ffff ? String.fromCodePoint(code) : ''
    return entities[String(name).toLowerCase()] ?? whole
  })
}
