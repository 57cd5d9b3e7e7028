import { expect, test } from 'vitest'
import { makePdf } from '../../test/make-pdf.ts'
import { createBuilder } from '../document-builder.ts'
import { addPages, joinLines } from './pdf-blocks.ts'
import { openCharacters } from './pdf-characters.ts'
import { readWithPdfium } from './pdf-pdfium.ts'

test('Chinese lines join without a space, hyphens go, English gets a space', () => {
  expect(joinLines(['提出申', '请。'])).toBe('提出申请。')
  expect(joinLines(['eco-', 'nomy class', 'only'])).toBe('economy class only')
  expect(joinLines(['E-', 'Mail'])).toBe('E- Mail')
})

test('the fallback reads Chinese, pages and headings as well, and drops running footers', async () => {
  const body = ['员工每年享有十五天带薪年假，须提前三个工作日提出申', '请，由直属主管批准。', '差旅费用应在三十日内报销，逾期不予受理。']
  const pages = [1, 2, 3].map((n) => [{ text: `第${n}章`, size: 18 }, ...body.map((text) => ({ text })), { text: `手册 ${n}`, y: 40 }])
  const pdf = readWithPdfium(await openCharacters(makePdf(pages)), 100_000)
  const builder = createBuilder(100_000)
  expect(addPages(pdf.pages, builder)).toBe('第1章')
  const document = builder.build('application/pdf')
  expect(document.blocks.filter((block) => block.kind === 'heading').map((block) => [block.text, block.page])).toEqual([
    ['第1章', 1],
    ['第2章', 2],
    ['第3章', 3],
  ])
  expect(document.text).toContain('提出申请，由直属主管批准。')
  expect(document.text).not.toContain('手册')
})
