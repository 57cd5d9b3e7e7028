const unseen =
  'script, style, noscript, template, iframe, object, embed, svg, canvas, head > *, link, meta, base, select, button, input, textarea, dialog, audio, video, map'
const hiddenStyle =
  /display\s{0,3}:\s{0,3}none|visibility\s{0,3}:\s{0,3}hidden|(?:font-size|opacity)\s{0,3}:\s{0,3}0(?:[;a-z%\s]|$)|(?:left|top|text-indent)\s{0,3}:\s{0,3}-\d{4,}/i
const chrome = 'nav, footer, aside, [role="navigation"], [role="banner"], [role="contentinfo"], body > header'

/** Removes what a reader would not see, and the frame around the page; says how much was hidden on purpose. */
export function dropUnseen(document: Document): number {
  for (const element of document.querySelectorAll(unseen)) if (element.localName !== 'title') element.remove()
  let hidden = 0
  for (const element of document.querySelectorAll('[hidden], [aria-hidden="true"], [style]')) {
    const style = element.getAttribute('style')
    if (
      element.hasAttribute('hidden') ||
      element.getAttribute('aria-hidden') === 'true' ||
      (style && hiddenStyle.test(style.slice(0, 500)))
    ) {
      if (element.localName !== 'body' && element.localName !== 'html') {
        if (element.textContent?.trim()) hidden++
        element.remove()
      }
    }
  }
  const isAllChrome = !document.querySelector('main, article, p, h1, h2, table, pre, div')
  if (!isAllChrome) for (const element of document.querySelectorAll(chrome)) element.remove()
  return hidden
}
