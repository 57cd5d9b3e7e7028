import type { Passage } from '@docent/core/passage'
import { expect, test } from 'vitest'
import { chooseQuotes, type Scorer } from './extractive.ts'
import { writeQuotes } from './write-quotes.ts'

const choose = (query: string, passages: Passage[], score: Scorer, previous?: string) =>
  chooseQuotes({ query, ...(previous ? { previous } : {}) }, passages, score)
const passage = (text: string, over: Partial<Passage> = {}): Passage => ({
  documentId: '0190d6a0-0000-7000-8000-000000000001',
  chunkId: text.slice(0, 8),
  version: 1,
  path: 'a.md',
  title: 'Release notes',
  mediaType: 'text/markdown',
  start: 0,
  end: text.length,
  snippet: text,
  score: 1,
  text,
  parent: { start: 0, end: text.length, text },
  scores: { fused: 1 },
  ...over,
})
/** scores by what the sentence holds, in either leg */
const scorer =
  (dense: Record<string, number>, lexical: Record<string, number> = {}): Scorer =>
  async (sentences) => ({
    scores: sentences.map(({ text }) => ({
      lexical: Object.entries(lexical).find(([word]) => text.includes(word))?.[1] ?? 0,
      dense: Object.entries(dense).find(([word]) => text.includes(word))?.[1] ?? 0,
    })),
    degraded: [],
  })

test('a quotation stands under its headings, said once, without title and numbers', async () => {
  const first = passage('Support for the Hub H1 gateway has been removed. The API moved to a new address.', {
    heading: 'Release notes › 2. v2.3.0 (20 February 2025) › Removed',
  })
  const { quotes } = await choose('Which release removed the old gateway?', [first], scorer({ Hub: 1, API: 0.95 }))
  const { text, citations } = writeQuotes(quotes, 'Quoted:', () => 1)
  expect(text).toBe(
    'Quoted:\n\nv2.3.0 (20 February 2025) › Removed:\nSupport for the Hub H1 gateway has been removed. [1]\n\nThe API moved to a new address. [1]',
  )
  expect(citations.map(({ start, end }) => text.slice(start, end))).toEqual([
    'Support for the Hub H1 gateway has been removed.',
    'The API moved to a new address.',
  ])
  expect(citations.every((citation) => citation.verified)).toBe(true)
})

test('the question of a text is said over the sentence that answers it, and speaks for it', async () => {
  const faq = passage('Where is the descaler? Under the sink.\n\nWho signs timesheets? Your team leader.')
  const { quotes } = await choose('Where is the descaler?', [faq], scorer({ sink: 1 }))
  expect(writeQuotes(quotes, 'Quoted:', () => 1).text).toBe('Quoted:\n\nWhere is the descaler?\nUnder the sink. [1]')
})

test('a version or a year that a heading begins with is said', async () => {
  const said = async (heading: string) => {
    const { quotes } = await choose('What is fixed?', [passage('A crash is fixed.', { heading })], scorer({ crash: 1 }))
    return writeQuotes(quotes, 'Quoted:', () => 1).text.split('\n')[2]
  }
  expect(await said('Release notes › 3.2.1 (2025-06-17)')).toBe('3.2.1 (2025-06-17):')
  expect(await said('Release notes › 2026 年计划')).toBe('2026 年计划：')
})

test('rows of which the question names a column and no row are no sure answer', async () => {
  const rates = passage('Grade | Hourly rate\nEngineer | 86\nAdministrator | 42', { title: 'Fee rates', path: 'fees.csv' })
  const ask = async (question: string) => (await choose(question, [rates], scorer({ '42': 1, '86': 0.9 }))).signs!
  expect(await ask('What is the hourly rate of an architect?')).toMatchObject({ isUnnamed: true })
  expect(await ask('What is the hourly rate of an administrator?')).not.toHaveProperty('isUnnamed')
  expect(await ask('What are the hourly rates?')).not.toHaveProperty('isUnnamed')
})

test('“this year” chooses this year’s document, where there is one', async () => {
  const list = (year: number, price: number) =>
    passage(`Test | Price\nBlood count | ${price}\nUrine | 9`, {
      documentId: `${year}`,
      path: `prices-${year}.csv`,
      title: `prices-${year}`,
    })
  const year = new Date().getFullYear()
  const ask = async (question: string, lists: Passage[]) =>
    (await choose(question, lists, scorer({ Blood: 1 }))).quotes.map(({ passage: { path } }) => path)
  const lists = [list(year - 1, 20), list(year, 22)]
  expect(await ask('What does a blood count cost this year?', lists)).toEqual([`prices-${year}.csv`])
  expect(await ask('What did a blood count cost last year?', lists)).toEqual([`prices-${year - 1}.csv`])
  expect(await ask('What does a blood count cost this year?', [list(2019, 20)])).toEqual(['prices-2019.csv'])
})

test('a heading that asks takes no colon, a Chinese one a wide colon, and a title is no heading', async () => {
  const quote = async (heading: string | undefined, text: string) => {
    const { quotes } = await choose(text, [passage(text, heading ? { heading } : {})], scorer({ '': 1 }))
    return writeQuotes(quotes, 'Quoted:', () => 1)
      .text.split('\n')
      .slice(2)
  }
  expect(await quote('FAQ › How long does it last?', 'About 26 months.')).toEqual(['FAQ › How long does it last?', 'About 26 months. [1]'])
  expect(await quote('九、技术规格', '整机重量为 1.85 kg。')).toEqual(['技术规格：', '整机重量为 1.85 kg。 [1]'])
  expect(await quote('Release notes', 'Newest first.')).toEqual(['Newest first. [1]'])
  expect(await quote(undefined, 'Newest first.')).toEqual(['Newest first. [1]'])
})

test('across languages the language of the best passage is quoted, by meaning', async () => {
  const passages = [
    passage('Passwords have at least 14 characters. Change them every year.'),
    passage('密码是访问系统的凭据。请妥善保管。', { score: 0.9, chunkId: 'zh' }),
  ]
  const { quotes } = await choose('公司规定密码至少要多少位？', passages, scorer({ 密码: 1, Passwords: 0.7, Change: 0.1 }, { 密码: 0.8 }))
  expect(quotes.map(({ candidate }) => candidate.quote)).toEqual(['Passwords have at least 14 characters.'])
})

const list = {
  zh: '型号 | 名称 | 零售价\nA1 | Arc 智能台灯 | ¥899\nA1 Pro | Arc 智能台灯（无线充电底座） | ¥1,299\nA10 | 灯臂 | ¥99',
  en: '| Model | Name | Price |\n| --- | --- | --- |\n| A1 | Arc desk lamp | $129 |\n| A1 Pro | Arc desk lamp with charger | $189 |\n| A10 | Lamp arm | $15 |',
}
test.each([
  ['A1 台灯零售价是多少？', list.zh, '¥899'],
  ['A1 Pro 的零售价是多少？', list.zh, '¥1,299'],
  ['A10 的零售价是多少？', list.zh, '¥99'],
  ['What is the price of the A1?', list.en, '$129'],
  ['What is the price of the A1 Pro lamp?', list.en, '$189'],
])('%s is answered by the row that is named, though another scores higher', async (question, text, price) => {
  const all = ['¥899', '¥1,299', '¥99', '$129', '$189', '$15']
  const score = scorer(Object.fromEntries(all.map((one) => [one, one === price ? 0.8 : 1])))
  const { quotes } = await choose(question, [passage(text)], score)
  expect(quotes.map(({ candidate }) => all.filter((one) => candidate.quote.endsWith(one)))).toEqual([[price]])
})

test('who asks for a sum gets sums only, and days where days are asked for', async () => {
  const text = 'The A1 is our first lamp. The A1 ships within 9 days. The A1 costs $129.'
  const score = scorer({ first: 1, ships: 0.9, costs: 0.9 })
  const quoted = async (question: string) => (await choose(question, [passage(text)], score)).quotes.map(({ candidate }) => candidate.quote)
  expect(await quoted('How much is the A1?')).toEqual(['The A1 costs $129.'])
  expect(await quoted('After how many days does the A1 ship?')).toEqual(['The A1 ships within 9 days.'])
})

const signsOf = async (question: string, text: string, lexical = 1) =>
  (await choose(question, [passage(text)], scorer({ '': 1 }, { '': lexical }))).signs!

test('what speaks for quotations: their best share of the words, and whether they are in the other language', async () => {
  expect(await signsOf('Does the lamp stand water?', 'Desk lamps have no protection against water.', 0.6)).toEqual({
    words: 0.6,
    isAcross: false,
    lacks: false,
  })
  expect((await signsOf('桌灯怕水吗？', 'Desk lamps have no protection against water.')).isAcross).toBe(true)
  const near: Scorer = async (sentences) => ({ scores: sentences.map((_, i) => ({ lexical: 0, dense: 1, stands: i / 10 })), degraded: [] })
  const { signs } = await choose('Which release?', [passage('The first one is old. The second one is new.')], near)
  expect(signs!.stands).toBe(0.1)
  expect((await choose('Which release?', [passage('')], near)).signs).toBeUndefined()
})

test.each([
  ['no code that the question names', 'What does the A1 cost?', 'For each lamp returned we pay EUR 3.', 'A1 台灯的价格为 899 元。'],
  ['not its version', 'When was Kestrel 4.3 released?', 'Kestrel 4.2 was released on 3 March 2025.', 'Kestrel 4.3 was released in April.'],
  ['no sum', 'What does the installer course cost?', 'The installer course is held in Hangzhou.', 'The installer course is 200 euros.'],
  ['no telephone number', '财务部的电话是多少？', '财务部在三楼，共有 12 人。', '财务部的电话为 0571-8800123。'],
  [
    'no number of such things',
    'How many users can share one account?',
    'One account holds up to 64 lamps.',
    'Up to 5 users share an account.',
  ],
])('quotations that hold %s lack what was asked for', async (_, question, without, having) => {
  expect((await signsOf(question, without)).lacks).toBe(true)
  expect((await signsOf(question, having)).lacks).toBe(false)
})

test('a passage in the language of the question that comes as near as the first one is quoted in its place', async () => {
  const chinese = passage('茶水间在三楼，每天开放。', { documentId: 'b', score: 1 })
  const english = (score: number) => passage('New colleagues fetch their badge at the IT desk on floor 4.', { score })
  const said = async (score: number) => {
    const { quotes } = await choose(
      'On which floor is the IT desk?',
      [chinese, english(score)],
      scorer({ 茶水间: 0.9, desk: 0.8 }, { desk: 0.8 }),
    )
    return quotes[0]!.passage.text
  }
  expect(await said(0.98)).toContain('floor 4')
  expect(await said(0.5)).toContain('三楼')
})

test('what a follow-up leaves out is taken from the question before it, and what it names itself goes first', async () => {
  const table = '| Model | Warranty | Price |\n|---|---|---|\n| X100 | 12 months | EUR 99 |\n| X200 | 36 months | EUR 199 |'
  const said = async (query: string, previous: string) =>
    (await choose(query, [passage(table)], scorer({ '': 1 }), previous)).quotes[0]!.candidate.quote
  expect(await said('And of the X200?', 'What is the warranty of the X100?')).toContain('X200')
  expect(await said('And what does it cost?', 'What is the warranty of the X200?')).toContain('X200')
  const prices = passage('The lamp is blue. It is sold for EUR 45 in all shops.')
  const { quotes } = await choose('And the lamp?', [prices], scorer({ blue: 1, sold: 0.9 }), 'How much is the desk?')
  expect(quotes[0]!.candidate.quote).toContain('EUR 45')
})

const shelves = passage('| Item | Shelf |\n| --- | --- |\n| KOALA-54 | 3 |\n| KOALA-55 | 7 |\n| KOALA-56 | 9 |')

test('the row that holds the identifier is quoted alone, whatever the scores of the others', async () => {
  const { quotes, signs } = await choose('Where is KOALA-55?', [shelves], scorer({ '54': 1, '55': 0.5, '56': 0.9 }))
  expect(quotes.map(({ candidate }) => candidate.quote)).toEqual(['Item: KOALA-55; Shelf: 7'])
  expect(signs).toMatchObject({ names: 'held', lacks: false })
})

test('of an identifier that no row holds it is said so', async () => {
  const { signs } = await choose('Where is KOALA-99?', [shelves], scorer({ '54': 1, '55': 0.5 }))
  expect(signs).toMatchObject({ names: 'missing' })
  expect((await choose('Where is the koala?', [shelves], scorer({ '54': 1 }))).signs).not.toHaveProperty('names')
})

test('a row in the other language is quoted where it alone holds the identifier', async () => {
  const chinese = passage('| 订单号 | 状态 |\n| --- | --- |\n| DD-0041 | 已取消 |', { documentId: '0190d6a0-0000-7000-8000-000000000002' })
  const orders = passage('| Order | Status |\n| --- | --- |\n| SO-2024-0041 | shipped |', { path: 'orders.csv', score: 0.9 })
  const { quotes } = await choose('订单 SO-2024-0041 是什么状态？', [chinese, orders], scorer({ DD: 1, SO: 0.2 }, { DD: 0.8 }))
  expect(quotes.map(({ candidate }) => candidate.quote)).toEqual(['Order: SO-2024-0041; Status: shipped'])
})

test('where a follow-up is answered is blurred by the question before it: a passage in its own language is enough near by', async () => {
  const chinese = passage('維修電源之前要先放電。', { documentId: '0190d6a0-0000-7000-8000-000000000002' })
  const english = passage('Batteries are covered for 12 months.', { score: 0.9 })
  const score = scorer({ 放電: 0.9, Batteries: 0.8 })
  const quoted = async (previous?: string) =>
    (await choose('And for batteries?', [chinese, english], score, previous)).quotes.map(({ candidate }) => candidate.quote)
  expect(await quoted('Is the warranty transferable?')).toEqual(['Batteries are covered for 12 months.'])
  expect(await quoted()).toEqual(['維修電源之前要先放電。'])
})

const prices = (year: number, price: number, score: number) =>
  passage(`SKU | Product | List price EUR\nBX-300 | Logger BX-300 | ${price}\nBX-200 | Logger BX-200 | 89`, {
    documentId: `0190d6a0-0000-7000-8000-00000000${year}`,
    chunkId: `p${year}`,
    path: `sales/prices-${year}.csv`,
    title: `prices-${year}`,
    mediaType: 'text/csv',
    score,
  })

test('where two documents give one thing other figures, both rows are quoted, each under the name of its document', async () => {
  const passages = [prices(2026, 248, 1), prices(2025, 235, 0.9)]
  const { quotes, signs } = await choose('How much does the BX-300 cost?', passages, scorer({ 'BX-300': 1 }, { 'BX-300': 0.6 }))
  expect(
    writeQuotes(quotes, 'Quoted:', () => 1)
      .text.split('\n')
      .slice(2),
  ).toEqual([
    'sales/prices-2026.csv:',
    'SKU: BX-300; Product: Logger BX-300; List price EUR: 248 [1]',
    '',
    'sales/prices-2025.csv:',
    'SKU: BX-300; Product: Logger BX-300; List price EUR: 235 [1]',
  ])
  expect(signs).toMatchObject({ names: 'held', lacks: false })
})

test('a year that the question names chooses the document of that year alone', async () => {
  const passages = [prices(2026, 248, 1), prices(2025, 235, 0.9)]
  const { quotes } = await choose('What did the BX-300 cost in 2025?', passages, scorer({ 'BX-300': 1 }, { 'BX-300': 0.6 }))
  expect(quotes.map(({ candidate }) => candidate.quote)).toEqual(['SKU: BX-300; Product: Logger BX-300; List price EUR: 235'])
})

test('a passage further down, or in the other language, is read where it holds what the question names', async () => {
  const near = Array.from({ length: 6 }, (_, i) =>
    passage(`BX-300 的固件说明第 ${i + 1} 条，请先备份数据。`, {
      chunkId: `zh${i}`,
      documentId: `0190d6a0-0000-7000-8000-00000000000${i}`,
    }),
  )
  const { quotes, signs } = await choose(
    'How much does the BX-300 cost?',
    [...near, prices(2026, 248, 0.2)],
    scorer({ 固件: 1, 'BX-300': 0.5 }),
  )
  expect(quotes.map(({ candidate }) => candidate.quote)).toEqual(['SKU: BX-300; Product: Logger BX-300; List price EUR: 248'])
  expect(signs!.lacks).toBe(false)
})

test('the few words that begin a line belong to the sentence after them, and whose sentence it is says less than what it says', async () => {
  const nda = passage('Signed for Northwind by Ilse Vermeulen.\n5. Penalty. A breach costs EUR 50,000 per event.', {
    title: 'Northwind NDA',
  })
  const { quotes } = await choose(
    'What penalty does the Northwind NDA set for a breach?',
    [nda],
    scorer({ Signed: 1, Penalty: 0.95 }, { Signed: 0.2, Penalty: 0.2 }),
  )
  expect(quotes.map(({ candidate }) => candidate.quote)).toEqual(['Penalty. A breach costs EUR 50,000 per event.'])
})

test.each([
  ['上海办公室的租金是多少？', '成都办公室租赁合同', '租金：每月每平方米 92 元。', true],
  ['成都办公室的租金是多少？', '成都办公室租赁合同', '租金：每月每平方米 92 元。', false],
  ['How much is the rent in Chengdu?', '成都办公室租赁合同', '租金：每月每平方米 92 元。', false],
  ['产假有多少天？', '员工手册', '假别: 陪产假；天数: 20 天', true],
  ['陪产假有多少天？', '员工手册', '假别: 陪产假；天数: 20 天', false],
  ['电池寿命达标了吗？', '评审', '电池寿命目前未达标。', false],
  ['What happened in Tokyo?', 'Report', 'The office in Zurich was closed.', true],
])('%s of “%s: %s” lacks what is asked: %s', async (question, title, text, lacks) => {
  const { signs } = await choose(question, [passage(text, { title })], scorer({ '': 1 }, { '': 0.8 }))
  expect(signs!.lacks).toBe(lacks)
})

test('a follow-up that only names another thing asks what was asked before', async () => {
  const rows = passage('项目 | M30 | M60\n断电保温时间 | 18 小时 | 30 小时\n净重 | 11.5 公斤 | 19.2 公斤', { title: 'CoolBox' })
  const { quotes } = await choose(
    '那 M30 呢？',
    [rows],
    scorer({ 断电: 0.9, 净重: 0.9 }, { 断电: 0.6, 净重: 0.6 }),
    'M60 断电后能保温多久？',
  )
  expect(quotes.map(({ candidate }) => candidate.quote)).toEqual(['项目: 断电保温时间；M30: 18 小时；M60: 30 小时'])
})

test('a row that the question names by a whole cell is surely meant where it has the column or the kind of thing asked for', async () => {
  const row = passage('LED | Meaning\namber | no internet\nred | hardware fault', { title: 'Gateway' })
  const signsOf = async (question: string) => (await choose(question, [row], scorer({ amber: 1 }, { amber: 0.5 }))).signs!
  expect((await signsOf('What does an amber light on the G1 mean?')).names).toBe('held')
  expect((await signsOf('Who repairs an amber lamp?')).names).toBeUndefined()
  const staff = passage('Name | Chinese name | Extension\nHe Peishan | 何佩珊 | 8201', { title: 'Staff' })
  const asked = async (question: string) => (await choose(question, [staff], scorer({ '': 1 }, { '': 0.3 }))).signs!.names
  expect(await asked('何佩珊的分机号是多少？')).toBe('held')
  expect(await asked('何佩珊的助理的分机号是多少？')).toBeUndefined()
})
