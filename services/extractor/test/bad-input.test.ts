import { execFileSync } from 'node:child_process'
import { linkSync, mkdirSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { deflateSync } from 'node:zlib'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { cpuMs } from '../../lib/testkit/src/cpu-ms.ts'
import { extractMarkdown } from '../src/formats/markdown.ts'
import { makeDocx, paragraph } from './make-docx.ts'
import { assemble, makePdf } from './make-pdf.ts'
import { startService, type TestService } from './start-service.ts'

let service: TestService
beforeAll(async () => {
  service = await startService({ timeoutMs: 20_000 })
})
afterAll(() => service[Symbol.asyncDispose]())
afterEach(async () => {
  const next = await service.read('next.txt', '下一个文件')
  expect(next.body.text).toBe('下一个文件')
})

async function outcome(path: string, content: string | Uint8Array): Promise<string> {
  const { status, body } = await service.read(path, content)
  if (status !== 200) expect(body.detail!.length).toBeGreaterThan(20)
  return status === 200 ? 'OK' : `FAIL(${body.code})`
}
const gbk = Buffer.from('c4eabcd9b9dcc0edb0ecb7a8', 'hex') // 年假管理办法
const png = Buffer.from('89504e470d0a1a0a0000000d49484452', 'hex')
const ole = Buffer.concat([Buffer.from('d0cf11e0a1b11ae1', 'hex'), Buffer.alloc(600)])
const pdf = makePdf([[{ text: 'Hello, this is a page.' }]])
const docx = makeDocx(paragraph('Hello from Word.'))

test.each<[string, string, string | Uint8Array, string | RegExp]>([
  ['F1', 'f1.txt', '', 'FAIL(empty)'],
  ['F2', 'f2.txt', ' ', 'FAIL(empty)'],
  ['F3', 'f3.txt', '中', 'OK'],
  ['F5', 'f5.txt', 'x'.repeat(5_000_000), 'OK'],
  ['F6', 'f6.md', '\n'.repeat(200_000), 'FAIL(empty)'],
  ['F13', 'f13.txt', 'a\0b', 'OK'],
  ['binary', 'noise.txt', Buffer.from(Array.from({ length: 5_000 }, (_, i) => (i * 7919) % 31)), 'FAIL(binary)'],
  ['F17', 'f17.txt', 'a\u{e0041}\u200bb\ufe0f\ufe0f', 'OK'],
  ['F35', 'f35.pdf', png, 'FAIL(type_mismatch)'],
  ['F36', 'f36.txt', pdf, 'FAIL(type_mismatch)'],
  ['F37', 'f37.docx', ole, 'FAIL(type_mismatch)'],
  ['F38', 'f38', 'text without extension', 'OK'],
  ['F38 pdf', 'f38b', pdf, 'OK'],
  ['F39', 'F39.PDF', pdf, 'OK'],
  ['F40', 'f40.pdf.exe', pdf, 'FAIL(type_mismatch)'],
  [
    'F43',
    'f43.docx',
    makeDocx('', { extra: Object.fromEntries(Array.from({ length: 6_000 }, (_, i) => [`word/x${i}`, ''])) }),
    'FAIL(bomb)',
  ],
  ['F41', 'f41.docx', makeDocx(paragraph('a'.repeat(60_000_000))), 'FAIL(bomb)'],
  ['F45', 'f45.docx', makeDocx(paragraph('x'), { extra: { '../../x': 'x' } }), 'FAIL(corrupt)'],
  ['F48', 'f48.docx', docx.subarray(0, docx.length / 2), 'FAIL(corrupt)'],
  ['F49', 'f49.docx', Buffer.concat([ole, Buffer.from('EncryptedPackage', 'utf16le')]), 'FAIL(encrypted)'],
  ['F51', 'f51.docx', makeDocx('<w:p>'.repeat(20_000) + '</w:p>'.repeat(20_000)), 'FAIL(corrupt)'],
  ['F52', 'f52.docx', makeDocx('', { documentXml: '<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><w:document/>' }), 'FAIL(corrupt)'],
  ['F58', 'f58.pdf', contentBomb(), /^FAIL\((?:bomb|too_large|parser_memory|parser_timeout)\)$/],
  [
    'F60',
    'f60.pdf',
    assemble(['<< /Type /Catalog /Pages 2 0 R >>', '<< /Type /Pages /Kids [2 0 R] /Count 1 >>']),
    /^FAIL\((?:corrupt|no_text)\)$/,
  ],
  [
    'F62',
    'f62.pdf',
    assemble(['<< /Type /Catalog /Pages 2 0 R >>', '<< /Type /Pages /Kids [] /Count 1000000 >>']),
    /^FAIL\((?:corrupt|no_text)\)$/,
  ],
  [
    'F65',
    'f65.pdf',
    makePdf([[{ text: 'secret' }]], {
      trailer: `/ID [<00><00>] /Encrypt << /Filter /Standard /V 1 /R 2 /O <${'28'.repeat(32)}> /U <${'11'.repeat(32)}> /P -4 >>`,
    }),
    'FAIL(encrypted)',
  ],
  ['F66', 'f66.pdf', pdf.subarray(0, pdf.length / 2), /^(?:OK|FAIL\((?:corrupt|no_text)\))$/],
  ['F67', 'f67.pdf', pdf.subarray(0, pdf.indexOf('xref\n0')), /^(?:OK|FAIL\(corrupt\))$/],
  ['F68', 'f68.pdf', Buffer.concat([Buffer.from('garbage\n'.repeat(20)), pdf]), 'OK'],
  ['F69', 'f69.pdf', makePdf([[{ text: 'Hello.' }]], { catalog: '/OpenAction << /S /JavaScript /JS (app.alert(1)) >>' }), 'OK'],
  ['F70', 'f70.pdf', makePdf([[]]), 'FAIL(no_text)'],
  ['F76 deep', 'f76.html', `${'<div>'.repeat(10_000)}deep text${'</div>'.repeat(10_000)}`, 'OK'],
  ['F76 unclosed', 'f76b.html', '<p>one<div><b>two<table><tr><td>three', 'OK'],
  ['F80', 'f80.json', '['.repeat(100_000), 'OK'],
  ['F83', 'f83.rtf', '{\\rtf1 hello}', 'OK'],
  ['F85', 'f85.doc', ole, 'FAIL(unsupported)'],
])('%s ends as promised', async (_id, path, content, expected) => {
  expect(await outcome(path, content)).toEqual(typeof expected === 'string' ? expected : expect.stringMatching(expected))
})

test.each(['[', '![', '*', '_', '`', '<', '](', '[a](', '> ', '|', '#', '- ', '<!--', '<script', '\\', '~~', '1. '])(
  'F78: a megabyte of %j takes no more than 2 s of the processor',
  async (bait) => {
    const text = bait.repeat(1_000_000 / bait.length)
    const read = () => {
      try {
        extractMarkdown(text, 50_000_000)
      } catch (error) {
        expect(error).toMatchObject({ code: 'empty' }) // nothing but marks
      }
    }
    expect(cpuMs(read)).toBeLessThan(2_000)
    expect(await outcome('bait.md', text)).toMatch(/^(?:OK|FAIL\(empty\))$/)
  },
)

test('F8-F12: every charset is read right, and said', async () => {
  const zh = '年假管理办法：员工每年享有十五天带薪年假。'
  const utf16 = Buffer.from(`\ufeff${zh}`, 'utf16le')
  expect((await service.read('f8.txt', utf16)).body).toMatchObject({ text: zh, charset: 'utf-16le' })
  expect((await service.read('f8b.txt', Buffer.from(utf16).swap16())).body).toMatchObject({ text: zh, charset: 'utf-16be' })
  expect((await service.read('f9.txt', gbk)).body).toMatchObject({ text: '年假管理办法', charset: 'gb18030' })
  const big5 = Buffer.from('a67eb0b2bade b27abf ecaa6b'.replaceAll(' ', ''), 'hex')
  expect((await service.read('f10.txt', big5)).body).toMatchObject({ text: '年假管理辦法', charset: 'big5' })
  const sjis = Buffer.from('93fa967b8cea82cc83658358836782c582b781420a', 'hex')
  expect((await service.read('f11.txt', sjis)).body).toMatchObject({ text: '日本語のテストです。', charset: 'shift_jis' })
  const dirty = await service.read('f12.txt', Buffer.concat([Buffer.from(zh), Buffer.from([0xff]), Buffer.from(zh)]))
  expect(dirty.body.text).toBe(`${zh}\ufffd${zh}`)
  expect(dirty.body.notes[0]).toMatch(/not valid UTF-8/)
})

test('F20, F26-F33: nothing outside the folder, no link, no pipe, no device is read, and nothing blocks', async () => {
  symlinkSync('/etc/passwd', join(service.root, 'link.txt'))
  symlinkSync('/etc', join(service.root, 'etc'))
  symlinkSync('.', join(service.root, 'self'))
  mkdirSync(join(service.root, 'a.pdf.d'))
  execFileSync('mkfifo', [join(service.root, 'pipe.txt')])
  writeFileSync(join(service.root, 'sparse.txt'), '')
  truncateSync(join(service.root, 'sparse.txt'), 2 ** 40)
  const socket = createServer().listen(join(service.root, 'sock.txt'))
  const codeOf = async (path: string) => (await service.extract(path)).body.code
  expect(await codeOf('../../etc/passwd')).toBe('bad_request')
  expect(await codeOf('/etc/passwd')).toBe('bad_request')
  expect(await codeOf('..%2f..%2fetc/passwd')).toBe('gone')
  for (const path of ['link.txt', 'etc/passwd', 'self', 'a.pdf.d', 'pipe.txt', 'sock.txt'])
    expect(await codeOf(path), path).toBe('unreadable')
  expect(await codeOf('sparse.txt')).toBe('too_large')
  service.put('small.txt', 'x'.repeat(100))
  expect((await service.extract('small.txt', { maxBytes: 10 })).body.code).toBe('too_large')
  linkSync(join(service.root, 'small.txt'), join(service.root, 'hard.txt'))
  expect((await service.extract('hard.txt')).status).toBe(200)
  socket.close()
})

test('F53, F54, F55: a DOCX reads no file of ours and leaves nothing behind', async () => {
  const image =
    '<w:p><w:r><w:drawing><wp:inline><a:graphic><a:graphicData><pic:pic><pic:blipFill><a:blip r:link="rX"/></pic:blipFill></pic:pic></a:graphicData></a:graphic></wp:inline></w:drawing></w:r></w:p>'
  const linked = await service.read('f54.docx', makeDocx(paragraph('before') + image + paragraph('after')))
  expect(linked.body.text).not.toContain('root:')
  expect(linked.body.text).toContain('after')
  const entity = makeDocx('', { documentXml: '<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]><w:document>&e;</w:document>' })
  expect(await outcome('f53.docx', entity)).toBe('FAIL(corrupt)')
  expect(await outcome('f55.docx', makeDocx(paragraph('proto', '__proto__')))).toBe('OK')
})

test('F17: text that no reader sees does not reach a chunk', async () => {
  const { body } = await service.read('f17.txt', 'pay\u{e0069}\u{e0067} \u200bnow\u202e 👩\u200d💻 ❤\ufe0f a\ufe0f\ufe01')
  expect(body.text).toBe('pay now 👩\u200d💻 ❤\ufe0f a')
  expect(body.notes.join()).toMatch(/invisible/)
})

test('a child that needs too much memory, or too long, is ended and said so', async () => {
  await using small = await startService({ childMemoryMb: 110, timeoutMs: 20_000 })
  const memory = await small.read('big.html', `<table>${'<tr><td>x</td><td>y</td></tr>'.repeat(180_000)}</table>`)
  expect(memory.body.code).toBe('parser_memory')
  expect((await small.read('after.txt', 'fine')).status).toBe(200)
  await using hasty = await startService({ timeoutMs: 60 })
  expect((await hasty.read('slow.docx', docx)).body.code).toBe('parser_timeout')
})

test('the child has no secret in its environment and no right to read other files', async () => {
  const children = execFileSync('pgrep', ['-f', 'services/extractor/src/child.ts', '-P', String(process.pid)], { encoding: 'utf8' })
    .trim()
    .split('\n')
  const environment = execFileSync('cat', [`/proc/${children[0]}/environ`], { encoding: 'utf8' })
  const commandLine = execFileSync('cat', [`/proc/${children[0]}/cmdline`], { encoding: 'utf8' }).split('\0')
  expect(commandLine).toContain('--permission')
  const granted = (right: string) => commandLine.filter((part) => part.startsWith(`--allow-fs-${right}=`))
  const isCode = (part: string) => /services\/|node_modules|package\.json$|\/docent-code-\w+\/\*$/.test(part)
  expect(granted('read').filter((part) => !isCode(part))).toEqual([])
  // compiled code: Node wants the right to write where it reads it, the kernel refuses every byte
  expect(granted('write').filter((part) => !/\/docent-code-\w+\/\*$/.test(part))).toEqual([])
  const limits = execFileSync('cat', [`/proc/${children[0]}/limits`], { encoding: 'utf8' })
  if (granted('write').length > 0) expect(limits).toMatch(/^Max file size +0 +0 /m)
  expect(
    environment
      .split('\0')
      .filter(Boolean)
      .map((pair) => pair.split('=')[0])
      .filter((name) => name !== 'NODE_COMPILE_CACHE')
      .sort(),
  ).toEqual(['LANG', 'MALLOC_ARENA_MAX', 'MALLOC_MMAP_THRESHOLD_', 'MALLOC_TRIM_THRESHOLD_', 'OMP_THREAD_LIMIT', 'TZ'])
})

function contentBomb(): Buffer {
  const content = deflateSync(
    Buffer.from(`BT /F1 10 Tf 72 700 Td ${'(aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa) Tj '.repeat(900_000)} ET`),
  ).toString('latin1')
  return assemble([
    '<< /Type /Catalog /Pages 2 0 R >>',
    '<< /Type /Pages /Kids [3 0 R] /Count 1 >>',
    '<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Resources << /Font << /F1 5 0 R >> >> /Contents 4 0 R >>',
    `<< /Length ${content.length} /Filter /FlateDecode >>\nstream\n${content}\nendstream`,
    '<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>',
  ])
}
