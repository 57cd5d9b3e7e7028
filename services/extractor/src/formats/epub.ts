import { posix } from 'node:path'
import { decodeText } from '../charset.ts'
import { atPlace, createBuilder } from '../document-builder.ts'
import { ExtractFailure } from '../failure.ts'
import type { Extracted, Tell } from '../types.ts'
import { addHtml } from './html.ts'
import { openPackage, type Package } from './package.ts'
import { child, descendants, elements, textOf, type XmlNode } from './xml.ts'

export const epubType = 'application/epub+zip'

const CONTAINER = 'META-INF/container.xml'

type Item = { path: string; mediaType: string; properties: string }

/** The book in the order it is read; each text stands in the chapter that the table of contents names for it. */
export function extractEpub(bytes: Buffer, maxChars: number, tell: Tell): Extracted {
  const file = openPackage(bytes, CONTAINER)
  const opf = descendants(file.tree(CONTAINER)!, 'rootfile')[0]?.attributes['full-path']
  const book = opf ? file.tree(opf) : undefined
  if (!opf || !book) throw new ExtractFailure('corrupt')
  const items = manifestOf(book, opf)
  const spine = child(book, 'spine')
  const encrypted = encryptedPaths(file)
  const chapters = chaptersOf(file, items, items.get(spine?.attributes.toc ?? ''))
  const builder = createBuilder(maxChars)
  let chapter: string | undefined
  const parts = spine ? elements(spine) : []
  for (const [i, { attributes }] of parts.entries()) {
    tell('extract', 'chapter', i, parts.length)
    const item = items.get(attributes.idref ?? '')
    if (!item || attributes.linear === 'no' || /\bnav\b/.test(item.properties) || !/html/.test(item.mediaType)) continue
    if (encrypted.has(item.path)) throw new ExtractFailure('encrypted')
    const content = file.read(item.path)
    if (!content) {
      builder.note('a part of the book is missing')
      continue
    }
    // A part without an entry of its own belongs to the chapter before it.
    const named = chapters.get(item.path)
    if (named !== undefined && named !== chapter) builder.leaveHeadings()
    chapter = named ?? chapter
    addHtml(xhtml(content), chapter ? atPlace(builder, { chapter }) : builder, false)
  }
  const title = child(book, 'metadata', 'title')
  return builder.build(epubType, { title: title && textOf(title) })
}

/** An empty element written short would swallow what follows, were it read as HTML. */
function xhtml(content: Buffer): string {
  return decodeText(content).text.replace(/<(title|script|style|a|p|div|span|i|b|em|strong|td|th|li)(\s[^<>]{0,500})?\/>/gi, '<$1$2></$1>')
}

function manifestOf(book: XmlNode, opf: string): Map<string, Item> {
  const manifest = child(book, 'manifest')
  const items = (manifest ? elements(manifest) : []).map(({ attributes }) => {
    const path = resolve(opf, attributes.href ?? '')
    return [attributes.id ?? '', { path, mediaType: attributes['media-type'] ?? '', properties: attributes.properties ?? '' }] as const
  })
  return new Map(items)
}

function resolve(from: string, href: string): string {
  const path = href.split('#')[0]!
  return posix.normalize(posix.join(posix.dirname(from), decode(path)))
}

function decode(path: string): string {
  try {
    return decodeURIComponent(path)
  } catch (error) {
    // A name with a bare percent sign is meant as it stands.
    if (error instanceof URIError) return path
    throw error
  }
}

/** From EPUB 3's navigation document, else from EPUB 2's NCX: a part's first entry names it. */
function chaptersOf(file: Package, items: ReadonlyMap<string, Item>, ncx: Item | undefined): Map<string, string> {
  const chapters = new Map<string, string>()
  const name = (from: string, href: string | undefined, label: string) => {
    const path = resolve(from, href ?? '')
    if (href && label.trim() && !chapters.has(path)) chapters.set(path, label.replace(/\s+/g, ' ').trim().slice(0, 200))
  }
  const nav = [...items.values()].find((item) => /\bnav\b/.test(item.properties))
  const contents = nav && file.tree(nav.path)
  const toc = contents && (descendants(contents, 'nav').find((one) => /\btoc\b/.test(one.attributes['epub:type'] ?? '')) ?? contents)
  if (nav && toc) for (const link of descendants(toc, 'a')) name(nav.path, link.attributes.href, textOf(link))
  const map = ncx && chapters.size === 0 ? file.tree(ncx.path) : undefined
  const walk = (node: XmlNode) => {
    for (const point of descendants(node, 'navPoint')) {
      const label = child(point, 'navLabel', 'text')
      name(ncx!.path, child(point, 'content')?.attributes.src, label ? textOf(label) : '')
      walk(point)
    }
  }
  if (map) walk(map)
  return chapters
}

/** Fonts are often obscured; only a text under a key makes the book unreadable. */
function encryptedPaths(file: Package): Set<string> {
  const tree = file.tree('META-INF/encryption.xml')
  const parts = tree ? descendants(tree, 'CipherReference') : []
  return new Set(parts.map((one) => decode(one.attributes.URI ?? '')))
}
