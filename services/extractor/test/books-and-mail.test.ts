import { expect, test } from 'vitest'
import { makeDocx, paragraph } from './make-docx.ts'
import { makeEpub } from './make-epub.ts'
import { makeMail } from './make-mail.ts'
import { makePdf } from './make-pdf.ts'
import { outlineOf, readBytes } from './read-bytes.ts'

const chapters = [
  {
    file: 'z.xhtml',
    title: '第一章 起源',
    body: '<p>很久以前，有一座山。</p><table><tr><th>年份</th><th>事件</th></tr><tr><td>1900</td><td>建城</td></tr></table>',
  },
  { file: 'a 2.xhtml', title: '', body: '<p>山上有一座庙。<script/></p><p>庙里有一口井。</p>', isListed: false },
  { file: 'm.xhtml', title: 'Chapter two', body: '<p>It went on.</p>' },
]

test.each([2, 3] as const)(
  'F84: an EPUB %s is read in its spine order; a part without an entry belongs to the chapter before it',
  async (version) => {
    const book = await readBytes('book.epub', makeEpub(chapters, { title: '山居', version }))
    expect(book.title).toBe('山居')
    expect(outlineOf(book)).toEqual([
      'heading1 chapter=第一章 起源 [第一章 起源] 第一章 起源',
      'paragraph chapter=第一章 起源 [第一章 起源] 很久以前，有一座山。',
      'table chapter=第一章 起源 [第一章 起源] 年份 | 事件\n1900 | 建城',
      'paragraph chapter=第一章 起源 [第一章 起源] 山上有一座庙。',
      'paragraph chapter=第一章 起源 [第一章 起源] 庙里有一口井。',
      'heading1 chapter=Chapter two [Chapter two] Chapter two',
      'paragraph chapter=Chapter two [Chapter two] It went on.',
    ])
  },
)

test('a book under a key is encrypted; obscured fonts are not', async () => {
  const key = (path: string) => ({
    'META-INF/encryption.xml': `<encryption xmlns:enc="http://www.w3.org/2001/04/xmlenc#"><enc:EncryptedData><enc:CipherData><enc:CipherReference URI="${path}"/></enc:CipherData></enc:EncryptedData></encryption>`,
  })
  await expect(readBytes('a.epub', makeEpub(chapters, { extra: key('OEBPS/text/z.xhtml') }))).rejects.toMatchObject({ code: 'encrypted' })
  expect((await readBytes('a.epub', makeEpub(chapters, { extra: key('OEBPS/font.otf') }))).blocks).toHaveLength(7)
})

test('F82: a mail is its head, its text and its attachments, each at its name; what cannot be read is noted', async () => {
  const inner = makeMail('Re: plan', { html: '<p>See <b>the plan</b>.</p>' }, [
    { type: 'text/csv', name: 'costs.csv', content: 'item,price\nhotel,140\n' },
  ])
  const mail = makeMail('差旅计划', { text: '各位好：\r\n\r\n附件为计划。\r\n', html: '<p>not read twice</p>' }, [
    { type: 'application/pdf', name: '计划.pdf', content: makePdf([[{ text: 'Page one' }], [{ text: 'Second page of the plan.' }]]) },
    {
      type: 'application/vnd.openxmlformats-officedocument.wordprocessingml.document',
      name: 'note.docx',
      content: makeDocx(paragraph('Heading', 'H1') + paragraph('Body of the note.')),
    },
    { type: 'message/rfc822', name: 'older', content: inner },
    { type: 'image/png', name: 'logo.png', content: Buffer.from('89504e470d0a1a0a', 'hex') },
  ])
  const document = await readBytes('mail.eml', mail)
  expect(document.title).toBe('差旅计划')
  expect(outlineOf(document)).toEqual([
    'heading1 [差旅计划] 差旅计划',
    'paragraph [差旅计划] From: 王小明 <wang@example.com>\nTo: li@example.com\nDate: 2025-03-03T01:00:00.000Z',
    'paragraph [差旅计划] 各位好：',
    'paragraph [差旅计划] 附件为计划。',
    'heading1 attachment=计划.pdf [计划.pdf] 计划.pdf',
    'paragraph page=1 attachment=计划.pdf [计划.pdf] Page one',
    'paragraph page=2 attachment=计划.pdf [计划.pdf] Second page of the plan.',
    'heading1 attachment=note.docx [note.docx] note.docx',
    'heading2 attachment=note.docx [note.docx > Heading] Heading',
    'paragraph attachment=note.docx [note.docx > Heading] Body of the note.',
    'heading1 attachment=older [older] older',
    'heading2 attachment=older [older > Re: plan] Re: plan',
    'paragraph attachment=older [older > Re: plan] From: 王小明 <wang@example.com>\nTo: li@example.com\nDate: 2025-03-03T01:00:00.000Z',
    'paragraph attachment=older [older > Re: plan] See the plan.',
    'heading2 attachment=older › costs.csv [older > costs.csv] costs.csv',
    'table row=2 attachment=older › costs.csv [older > costs.csv] item | price\nhotel | 140',
  ])
  expect(document.notes).toContain('the attachment logo.png was not read: unsupported')
})

test('mails in mails end at a depth, many attachments at a number, and a locked mail says so', async () => {
  let nested = makeMail('0', { text: 'innermost' })
  for (let depth = 1; depth <= 5; depth++)
    nested = makeMail(String(depth), { text: `level ${depth}` }, [{ type: 'message/rfc822', name: `m${depth}.eml`, content: nested }])
  const document = await readBytes('deep.eml', nested)
  expect(document.text).toContain('level 2')
  expect(document.text).not.toContain('innermost')
  expect(document.notes.join('\n')).toMatch(/was not read: bomb/)
  const many = makeMail(
    'many',
    { text: 'x' },
    Array.from({ length: 60 }, (_, i) => ({ type: 'text/plain', name: `${i}.txt`, content: `file ${i}` })),
  )
  const read = await readBytes('many.eml', many)
  expect(read.text).toContain('file 49')
  expect(read.text).not.toContain('file 50')
  expect(read.notes).toContain('only the first 50 of 60 attachments were read')
  const locked = makeMail('secret', {}, [{ type: 'application/pkcs7-mime', name: 'smime.p7m', content: 'x' }])
  await expect(readBytes('locked.eml', locked)).rejects.toMatchObject({ code: 'encrypted' })
})

test('JSONL keeps its records whole, at their lines', async () => {
  const lines = Array.from({ length: 9 }, (_, i) => JSON.stringify({ id: i, 问题: `第${i}个问题`, text: 'x'.repeat(100) }))
  const document = await readBytes('faq.jsonl', `${lines.join('\n')}\n`)
  expect(document.blocks.map(({ row, lastRow, text }) => [row, lastRow, text.split('\n').length])).toEqual([
    [1, 3, 3],
    [4, 6, 3],
    [7, 9, 3],
  ])
  expect(document.text.split(/\n+/)).toEqual(lines)
})
