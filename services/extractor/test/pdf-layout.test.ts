import { expect, test } from 'vitest'
import { makePdf, type PdfLine } from './make-pdf.ts'
import { outlineOf, readBytes } from './read-bytes.ts'

const sentences = {
  zh: (n: number) => [`第${n}页开头的句子说明编号甲${n}乙。`, `中间的句子提到仓库${n}号和货架${n}号。`, `末尾的句子以编号丙${n}丁结束。`],
  en: (n: number) => [
    `Sentence one of leaf ${n} names item A${n}B.`,
    `The middle names store ${n} and shelf ${n}.`,
    `The last one ends with item C${n}D.`,
  ],
}

test.each(['zh', 'en'] as const)('what is printed on page N stands at page N, for every page (%s)', async (language) => {
  const pages = Array.from({ length: 60 }, (_, i): PdfLine[] => [
    { text: language === 'zh' ? '年度手册' : 'Annual handbook', y: 810, size: 9 },
    ...sentences[language](i + 1).map((text) => ({ text })),
    { text: String(i + 1), y: 30, x: 300, size: 9 },
  ])
  const document = await readBytes('book.pdf', makePdf(pages))
  expect(document.pages).toBe(60)
  for (let n = 1; n <= 60; n++) {
    const text = document.blocks
      .filter((block) => block.page === n)
      .map((block) => block.text)
      .join('\n')
    expect(text.replace(/\s/g, '')).toBe(sentences[language](n).join('').replace(/\s/g, ''))
  }
})

const left = [
  'The committee met in spring and',
  'agreed on the budget for the',
  'coming year, which covers three',
  'new laboratories and a library',
  'with reading rooms for everyone.',
]
const right = [
  'Construction starts in autumn.',
  'The first laboratory opens two',
  'years later, the library one year',
  'after it. Neighbours were heard',
  'and their wishes were included.',
]
const links = [
  '委员会在春季召开了会议，讨论并',
  '通过了下一年度的预算，预算包括',
  '三个新的实验室和一座图书馆，图',
  '书馆设有面向所有人的阅览室，并',
  '且全年开放。',
]
const rechts = [
  '工程将于秋季开始，第一个实验室',
  '两年以后启用，图书馆再晚一年启',
  '用。工程开始之前听取了附近居民',
  '的意见，他们的愿望都已经写进了',
  '计划。',
]

test.each([
  ['en', left, right, 'Printed on recycled paper, which costs less than fresh paper does in most of the years.'],
  ['zh', links, rechts, '本报告使用再生纸印刷，再生纸在多数年份里都比新纸便宜，因此从今年起全部改用再生纸。'],
] as const)(
  'F73: two columns are read one after the other, and what runs across them stays outside (%s)',
  async (language, first, second, across) => {
    const title = language === 'zh' ? '委员会报告' : 'Report of the committee'
    const columns = first.flatMap((text, i) => [
      { text, x: 72, y: 740 - 14 * i },
      { text: second[i]!, x: 310, y: 740 - 14 * i },
    ])
    const document = await readBytes('a.pdf', makePdf([[{ text: title, size: 20 }, ...columns, { text: across, x: 72, y: 600 }]]))
    const glue = language === 'zh' ? '' : ' '
    expect(document.text.replace(/\n+/g, glue)).toBe([title, ...first, ...second, across].join(glue))
  },
)

test('a table keeps its rows, and loses and doubles nothing', async () => {
  const rows = [
    ['City', 'Limit', 'Remark'],
    ['Berlin', '140', 'breakfast is included in this price'],
    ['Lyon', '110', 'breakfast is paid by the traveller'],
    ['Oslo', '170', 'only with a written permission'],
    ['Rome', '120', 'breakfast is included in this price'],
  ]
  const printed = rows.flatMap((row, r) => row.map((text, c) => ({ text, x: [72, 180, 260][c]!, y: 700 - r * 16 })))
  const document = await readBytes(
    'a.pdf',
    makePdf([[{ text: 'Hotel limits', size: 18 }, { text: 'These limits hold from March.', y: 740 }, ...printed]]),
  )
  expect(outlineOf(document).at(-1)).toBe(`table page=1 [Hotel limits] ${rows.map((row) => row.join(' | ')).join('\n')}`)
})

test('F72: vertical Chinese is read from top to bottom, columns from the right', async () => {
  const columns = ['春眠不觉晓，处处闻啼鸟。', '夜来风雨声，花落知多少。', '床前明月光，疑是地上霜。']
  const lines = columns.map((text, i) => ({ text, x: 500 - i * 30, y: 780, size: 14 }))
  const document = await readBytes('a.pdf', makePdf([lines], { chineseMap: 'UniGB-UCS2-V' }))
  expect(document.text).toBe(columns.join(''))
})

test('F71: in a Chinese font that is not in the file, digits, Latin letters and punctuation are what they are', async () => {
  const text = '合同编号ABCDEFGHIJKLMNOPQRSTUVWXYZ，金额0123456789元（abcdefghijklmnopqrstuvwxyz）/100%。'
  expect((await readBytes('a.pdf', makePdf([text.split(/(?<=，)/).map((line) => ({ text: line }))]))).text).toBe(text)
})

test('F74: ligatures are letters', async () => {
  // 0xDE and 0xDF are fi and fl in MacRoman.
  const document = await readBytes('a.pdf', makePdf([[{ text: 'The of\u00dece has a \u00dfat roof.' }]], { encoding: 'MacRomanEncoding' }))
  expect(document.text).toBe('The office has a flat roof.')
})

test('F70: a scan is no_text, with a stamp on each page as well; a short page of text is read', async () => {
  const stamped = Array.from({ length: 3 }, (_, i) => [{ text: `Scan ${i + 1}` }])
  await expect(readBytes('a.pdf', makePdf([[], []], { isScan: true }))).rejects.toMatchObject({ code: 'no_text' })
  await expect(readBytes('a.pdf', makePdf(stamped, { isScan: true }))).rejects.toMatchObject({
    code: 'no_text',
    detail: expect.stringMatching(/hardly any text, and OCR is off: set OCR=auto/),
  })
  expect((await readBytes('a.pdf', makePdf(stamped))).text).toBe('Scan 1\n\nScan 2\n\nScan 3')
  const long = [{ text: 'A picture may well stand beside a page of text, and is left out.' }]
  expect((await readBytes('a.pdf', makePdf([long], { isScan: true }))).text).toBe(long[0]!.text)
})

test('a Chinese line that was stretched to the margin is closed up; two words with a space between stay two', async () => {
  const lines = ['对 于 一 个 支 持 多 架 构 的 软 件 包， 你 可 能 需 要 指 定 架 构', '请联系 张三 或者 李四 办理。']
  const { text } = await readBytes('a.pdf', makePdf([lines.map((line, i) => ({ text: line, y: 700 - i * 40 }))]))
  expect(text).toContain('对于一个支持多架构的软件包，你可能需要指定架构')
  expect(text).toContain('请联系 张三 或者 李四 办理。')
})

test.each([
  ['注意', '软件包的详细文档需要另外安装一个软件包来得到。'],
  ['Note', 'Sort order and range expression depend on the locale.'],
])('what “%s” stands over is not glued to it', async (label, told) => {
  const { blocks } = await readBytes(
    'a.pdf',
    makePdf([
      [
        { text: label, y: 700 },
        { text: told, y: 686 },
      ],
    ]),
  )
  expect(blocks.map(({ text }) => text).join('\n')).toBe(`${label}\n${told}`)
})

test('a wrapped cell of a table stays one cell, in order, and stretched prose is no table', async () => {
  const rows = [
    [['Package'], ['Popularity'], ['Remark']],
    [['vim'], ['390'], ['an improved editor of the', 'old family, for programmers']],
    [['mc'], ['226'], ['a file manager that needs', 'no more than a terminal']],
    [['gpm'], ['14'], ['copies and pastes by mouse']],
    [['w3m'], ['190'], ['a browser for the terminal', 'that shows pictures too']],
  ]
  let y = 700
  const printed = rows.flatMap((row) => {
    const cells = row.flatMap((lines, c) => lines.map((text, n) => ({ text, x: [72, 150, 240][c]!, y: y - n * 13 })))
    y -= 13 * Math.max(...row.map((lines) => lines.length)) + 5
    return cells
  })
  const { text } = await readBytes(
    'a.pdf',
    makePdf([[{ text: 'Packages', size: 18 }, { text: 'These packages are useful.', y: 730 }, ...printed]]),
  )
  expect(text).toContain('vim | 390 | an improved editor of the old family, for programmers')
  expect(text).toContain('w3m | 190 | a browser for the terminal that shows pictures too')
})
