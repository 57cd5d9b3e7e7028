import { expect, test } from 'vitest'
import { makeDocx, paragraph, table } from './make-docx.ts'
import { outlineOf, readBytes } from './read-bytes.ts'

const w = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'
const run = (text: string) => `<w:r><w:t xml:space="preserve">${text}</w:t></w:r>`

test('F56: tracked changes as accepted, text boxes, footnotes and right-to-left text are read; remarks and page heads are not', async () => {
  const change = 'w:id="1" w:author="x" w:date="2025-01-01T00:00:00Z"'
  const box = (text: string) =>
    `<w:p><w:r><mc:AlternateContent xmlns:mc="http://schemas.openxmlformats.org/markup-compatibility/2006"><mc:Choice xmlns:wps="http://schemas.microsoft.com/office/word/2010/wordprocessingShape" Requires="wps"><w:drawing><wp:inline><a:graphic><a:graphicData><wps:wsp><wps:txbx><w:txbxContent>${paragraph(text)}</w:txbxContent></wps:txbx></wps:wsp></a:graphicData></a:graphic></wp:inline></w:drawing></mc:Choice><mc:Fallback><w:pict><v:shape xmlns:v="urn:schemas-microsoft-com:vml"><v:textbox><w:txbxContent>${paragraph(text)}</w:txbxContent></v:textbox></v:shape></w:pict></mc:Fallback></mc:AlternateContent></w:r></w:p>`
  const body = [
    `<w:p>${run('报销期限为')}<w:del ${change}><w:r><w:delText>六十</w:delText></w:r></w:del><w:ins ${change}>${run('三十')}</w:ins>${run('日。')}</w:p>`,
    `<w:p><w:commentRangeStart w:id="0"/>${run('Commented text.')}<w:commentRangeEnd w:id="0"/><w:r><w:commentReference w:id="0"/></w:r><w:r><w:footnoteReference w:id="2"/></w:r></w:p>`,
    `<w:p><w:pPr><w:bidi/></w:pPr>${run('سياسة السفر')}</w:p>`,
    box('文本框里的提示'),
  ].join('')
  const extra = {
    'word/comments.xml': `<w:comments ${w}><w:comment w:id="0" w:author="x">${paragraph('REMARK')}</w:comment></w:comments>`,
    'word/footnotes.xml': `<w:footnotes ${w}><w:footnote w:id="2">${paragraph('脚注内容。')}</w:footnote></w:footnotes>`,
    'word/header1.xml': `<w:hdr ${w}>${paragraph('PAGE HEAD')}</w:hdr>`,
    'word/_rels/document.xml.rels':
      '<?xml version="1.0"?><Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="r1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/comments" Target="comments.xml"/><Relationship Id="r2" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/footnotes" Target="footnotes.xml"/><Relationship Id="r3" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/header" Target="header1.xml"/></Relationships>',
  }
  expect(outlineOf(await readBytes('a.docx', makeDocx(body, { extra })))).toEqual([
    'paragraph [] 报销期限为三十日。',
    'paragraph [] Commented text.[1]',
    'paragraph [] سياسة السفر',
    'paragraph [] 文本框里的提示',
    'list [] 1. 脚注内容。',
  ])
})

test('F56: a table of a thousand rows keeps them all; F57: a .docm is its text', async () => {
  const rows = [['No', 'Name'], ...Array.from({ length: 1_000 }, (_, i) => [String(i), `name ${i}`])]
  const document = await readBytes('a.docx', makeDocx(table(rows)))
  const lines = document.text.split('\n').filter((line) => line && line !== 'No | Name')
  expect(lines).toEqual(rows.slice(1).map((row) => row.join(' | ')))
  expect((await readBytes('a.docm', makeDocx(paragraph('text'), { extra: { 'word/vbaProject.bin': 'MACRO' } }))).text).toBe('text')
})

test('Markdown: front matter is no text, whatever its form; a fence is whole with blank lines and other fences in it', async () => {
  const yaml = '---\ntitle: 差旅\ntags:\n  - 财务\n  - travel\naliases: [a, b]\n---\n\n正文。\n'
  const toml = '+++\ntitle = "Travel"\ntags = ["x"]\n+++\n\nBody.\n'
  for (const [source, title, text] of [
    [yaml, '差旅', '正文。'],
    [toml, 'Travel', 'Body.'],
  ] as const)
    expect(await readBytes('a.md', source)).toMatchObject({ title, text })
  const bomb = `---\na: &a [x,x]\n${Array.from({ length: 100 }, (_, i) => `b${i}: &b${i} [*a,*a]`).join('\n')}\n---\nText.\n`
  expect((await readBytes('a.md', bomb)).text).toBe('Text.')
  const code = 'const a = 1\n\n```\nnot the end\n```\n\n# no heading'
  expect(outlineOf(await readBytes('a.md', `# H\n\n~~~ts\n${code}\n~~~\n\nAfter.\n`))).toEqual([
    'heading1 [H] H',
    `code [H] ${code}`,
    'paragraph [H] After.',
  ])
})
