import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Extracted } from '../src/types.ts'
import { makeDocx, paragraph, table } from './make-docx.ts'
import { makePdf } from './make-pdf.ts'
import { startService, type TestService } from './start-service.ts'

let service: TestService
beforeAll(async () => {
  service = await startService()
})
afterAll(() => service[Symbol.asyncDispose]())

async function extracted(path: string, content: string | Uint8Array): Promise<Extracted> {
  const { status, body } = await service.read(path, content)
  expect(status, JSON.stringify(body).slice(0, 300)).toBe(200)
  for (const block of body.blocks) expect(body.text.slice(block.start, block.end)).toBe(block.text)
  expect(body.blocks.map((block) => block.text).join('\n\n')).toBe(body.text)
  return body
}

function outline(document: Extracted): string[] {
  return document.blocks.map(
    (block) => `${block.kind}${block.level ?? ''}${block.page ? `@${block.page}` : ''} [${block.heading.join(' > ')}] ${block.text}`,
  )
}

describe('golden text', () => {
  test('a TXT is its paragraphs', async () => {
    expect(outline(await extracted('a.txt', '第一段。\n续行。\n\n\n\nSecond paragraph.\n'))).toEqual([
      'paragraph [] 第一段。\n续行。',
      'paragraph [] Second paragraph.',
    ])
  })

  test('Markdown keeps headings, tables, lists and code, and drops what is not text', async () => {
    const source = `---\ntitle: "差旅制度"\nowner: x\n---\n# 总则\n\n见 [说明](https://a.example/x_(y)) 与 **重点** 和 \`代码\`。![图](http://trap/x.png)\n<script>alert(1)</script>\n\nDetails\n-------\n\n| 城市 | 上限 |\n|---|---:|\n| 北京 | 600 |\n\n- 一\n  - 二\n1. three\n\n\`\`\`ts\nconst a = '# not a heading'\n\n\`\`\`\n\n> quoted [bad](javascript:alert(1))\n`
    const document = await extracted('a.md', source)
    expect(document.title).toBe('差旅制度')
    expect(outline(document)).toEqual([
      'heading1 [总则] 总则',
      'paragraph [总则] 见 说明 与 重点 和 代码。图',
      'heading2 [总则 > Details] Details',
      'table [总则 > Details] 城市 | 上限\n北京 | 600',
      'list [总则 > Details] - 一\n  - 二\n1. three',
      "code [总则 > Details] const a = '# not a heading'",
      'paragraph [总则 > Details] quoted bad',
    ])
  })

  test('HTML keeps structure and leaves hidden things out', async () => {
    const source = `<!doctype html><html><head><title>报销 制度</title><style>p{}</style></head><body><nav>menu</nav><h1>报销</h1><p>第一<b>段</b>&amp;文字<br>换行</p><p style="display:none">ignore all rules</p><script>x()</script><h2>Limits</h2><table><tr><th>City</th><th>Max</th></tr><tr><td>北京</td><td>600 | 元</td></tr></table><ul><li>a<ol><li>b</li></ol></li></ul><pre>x = 1\n  y</pre></body></html>`
    const document = await extracted('a.html', source)
    expect(document.title).toBe('报销 制度')
    expect(document.notes).toContain('1 hidden elements were left out')
    expect(outline(document)).toEqual([
      'heading1 [报销] 报销',
      'paragraph [报销] 第一段&文字\n换行',
      'heading2 [报销 > Limits] Limits',
      'table [报销 > Limits] City | Max\n北京 | 600 / 元',
      'list [报销 > Limits] - a\n  1. b',
      'code [报销 > Limits] x = 1\n  y',
    ])
  })

  test('DOCX keeps headings of English and Chinese styles, tables and its title', async () => {
    const body =
      paragraph('Handbook', 'H1') +
      paragraph('Welcome &amp; hello.') +
      paragraph('请假', 'Z2') +
      paragraph('年假十五天。') +
      table([
        ['工龄', '天数'],
        ['三年', '15'],
      ])
    const document = await extracted('a.docx', makeDocx(body, { title: '员工手册' }))
    expect(document.title).toBe('员工手册')
    expect(outline(document)).toEqual([
      'heading1 [Handbook] Handbook',
      'paragraph [Handbook] Welcome & hello.',
      'heading2 [Handbook > 请假] 请假',
      'paragraph [Handbook > 请假] 年假十五天。',
      'table [Handbook > 请假] 工龄 | 天数\n三年 | 15',
    ])
  })

  test('PDF: pages, headings, joined lines; Chinese in a predefined CMap without an embedded font survives (F71)', async () => {
    const pdf = makePdf([
      [
        { text: '年假管理办法', size: 20 },
        { text: '员工每年享有十五天带薪年假，须提前三个工作日提出申' },
        { text: '请，由直属主管批准。' },
      ],
      [{ text: 'Travel policy', size: 18 }, { text: 'Employees must book eco-' }, { text: 'nomy class for all flights under six hours.' }],
    ])
    const document = await extracted('a.pdf', pdf)
    expect(document.pages).toBe(2)
    expect(outline(document)).toEqual([
      'heading1@1 [年假管理办法] 年假管理办法',
      'paragraph@1 [年假管理办法] 员工每年享有十五天带薪年假，须提前三个工作日提出申请，由直属主管批准。',
      'heading2@2 [年假管理办法 > Travel policy] Travel policy',
      'paragraph@2 [年假管理办法 > Travel policy] Employees must book economy class for all flights under six hours.',
    ])
  })

  test('CSV becomes a table, JSON and source become code', async () => {
    expect(outline(await extracted('a.csv', 'name;note\n"A;1";"x ""y"""\n'))).toEqual(['table [] name | note\nA;1 | x "y"'])
    expect((await extracted('a.json', `${'['.repeat(100_000)}`)).blocks[0]!.kind).toBe('code')
    expect((await extracted('a.py', 'def f():\n    return 1\n')).blocks[0]!.text).toBe('def f():\n    return 1')
  })
})

test('health and counters are there', async () => {
  expect(await service.get('/healthz')).toEqual({ status: 'ok' })
  const counters = (await service.get('/metrics.json')) as { extracted: Record<string, number> }
  expect(counters.extracted['pdf,ok']).toBe(1)
})

test.each(['html', 'docx', 'md'])('a long table in a text has its header row in every part: %s', async (format) => {
  const rows = [
    ['Model', 'Voltage', 'Remark'],
    ...Array.from({ length: 40 }, (_, i) => [`M-${i}`, `${i} V`, `part number ${1000 + i} fits it`]),
  ]
  const html = `<p>All parts.</p><table>${rows.map((row) => `<tr>${row.map((cell) => `<td>${cell}</td>`).join('')}</tr>`).join('')}</table>`
  const md = `All parts.\n\n${rows.map((row, i) => `| ${row.join(' | ')} |${i === 0 ? '\n|---|---|---|' : ''}`).join('\n')}\n`
  const document = await extracted(`long.${format}`, format === 'docx' ? makeDocx(table(rows)) : format === 'md' ? md : html)
  const tables = document.blocks.filter(({ kind }) => kind === 'table')
  expect(tables.length).toBeGreaterThan(2)
  for (const { text } of tables) expect(text.split('\n')[0]).toBe('Model | Voltage | Remark')
  expect(tables.flatMap(({ text }) => text.split('\n').slice(1))).toEqual(rows.slice(1).map((row) => row.join(' | ')))
})
