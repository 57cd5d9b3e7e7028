import { strToU8, zipSync } from 'fflate'

export type Chapter = { file: string; title: string; body: string; isListed?: boolean }

/** A book of EPUB 3, or of EPUB 2 with its NCX; its spine is the order of the chapters. */
export function makeEpub(
  chapters: readonly Chapter[],
  { title = 'Book', version = 3, extra = {} }: { title?: string; version?: 2 | 3; extra?: Record<string, string> } = {},
): Buffer {
  const listed = chapters.filter((chapter) => chapter.isListed !== false)
  const nav = `<html xmlns="http://www.w3.org/1999/xhtml" xmlns:epub="http://www.idpf.org/2007/ops"><body><nav epub:type="toc"><ol>${listed.map(({ file, title: name }) => `<li><a href="text/${file}">${name}</a></li>`).join('')}</ol></nav></body></html>`
  const ncx = `<!DOCTYPE ncx PUBLIC "-//NISO//DTD ncx 2005-1//EN" "http://www.daisy.org/z3986/2005/ncx-2005-1.dtd"><ncx xmlns="http://www.daisy.org/z3986/2005/ncx/"><navMap>${listed.map(({ file, title: name }, i) => `<navPoint id="n${i}"><navLabel><text>${name}</text></navLabel><content src="text/${file}#top"/></navPoint>`).join('')}</navMap></ncx>`
  const toc =
    version === 3
      ? '<item id="nav" href="nav.xhtml" media-type="application/xhtml+xml" properties="nav"/>'
      : '<item id="ncx" href="toc.ncx" media-type="application/x-dtbncx+xml"/>'
  const items = chapters
    .map(({ file }, i) => `<item id="c${i}" href="text/${encodeURIComponent(file)}" media-type="application/xhtml+xml"/>`)
    .join('')
  const parts: Record<string, string> = {
    mimetype: 'application/epub+zip',
    'META-INF/container.xml':
      '<?xml version="1.0"?><container xmlns="urn:oasis:names:tc:opendocument:xmlns:container"><rootfiles><rootfile full-path="OEBPS/book.opf" media-type="application/oebps-package+xml"/></rootfiles></container>',
    'OEBPS/book.opf': `<?xml version="1.0"?><package xmlns="http://www.idpf.org/2007/opf" version="${version}.0"><metadata xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:title>${title}</dc:title></metadata><manifest>${toc}${items}</manifest><spine${version === 2 ? ' toc="ncx"' : ''}>${chapters.map((_, i) => `<itemref idref="c${i}"/>`).join('')}</spine></package>`,
    ...(version === 3 ? { 'OEBPS/nav.xhtml': nav } : { 'OEBPS/toc.ncx': ncx }),
    ...Object.fromEntries(
      // The parts lie in the zip in another order than they are read.
      chapters
        .toReversed()
        .map(({ file, title: name, body }) => [
          `OEBPS/text/${file}`,
          `<?xml version="1.0"?><html xmlns="http://www.w3.org/1999/xhtml"><head><title/></head><body>${name ? `<h1>${name}</h1>` : ''}${body}</body></html>`,
        ]),
    ),
    ...extra,
  }
  return Buffer.from(zipSync(Object.fromEntries(Object.entries(parts).map(([name, text]) => [name, strToU8(text)])), { level: 6 }))
}
