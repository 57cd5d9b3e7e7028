import { parseHTML } from 'linkedom'
import { beforeAll, describe, expect, it } from 'vitest'
import { findQuote, renderPassage } from '../static/passage.js'

beforeAll(() => {
  globalThis.document = parseHTML('<!doctype html><html><body></body></html>').document
})

const passage =
  '一、保修期限\n\n整机保修期为 24 个月。😀 Parts differ:\n\n部件 | 保修期\n整机（台灯） | 24 个月\nLED 光源模组 | 60 个月\n\nEnd.'

function html(quotes: string[]) {
  const div = document.createElement('div')
  div.append(renderPassage(passage, quotes))
  return div
}

describe('what of a passage is marked', () => {
  it.each([
    ['整机保修期为 24 个月。', '整机保修期为 24 个月。'],
    ['整机保修期为２４个月。', '整机保修期为 24 个月。'],
    ['😀 parts  DIFFER', '😀 Parts differ'],
    ['部件: 整机（台灯）；保修期: 24 个月', '整机（台灯） | 24 个月'],
    ['LED 光源模组：60 个月', 'LED 光源模组 | 60 个月'],
    ['The warranty is 24 months.', undefined],
    ['月', undefined],
    ['', undefined],
  ])('%j is found as %j', (quote, words) => {
    const found = findQuote(passage, quote)
    expect(found && passage.slice(found.start, found.end)).toBe(words)
  })

  it('shows rows as a table, marks across cells, and keeps every character', () => {
    const div = html(['部件: 整机（台灯）；保修期: 24 个月', '整机保修期为 24 个月。'])
    expect([...div.querySelectorAll('mark')].map((mark) => mark.textContent)).toEqual(['整机保修期为 24 个月。', '整机（台灯）', '24 个月'])
    expect([...div.querySelectorAll('tr')].map((row) => row.children.length)).toEqual([2, 2, 2])
    expect(div.textContent).toBe(passage.replaceAll(' | ', '').replaceAll('\n', ''))
  })

  it('takes overlapping quotations once, and text for text', () => {
    const div = document.createElement('div')
    div.append(renderPassage('<b>bold</b> and <script>alert(1)</script>', ['bold</b> and', '<b>bold</b>']))
    expect(div.querySelectorAll('b, script').length).toBe(0)
    expect([...div.querySelectorAll('mark')].map((mark) => mark.textContent).join('')).toBe('<b>bold</b> and')
  })
})
