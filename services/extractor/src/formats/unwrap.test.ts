import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { cpuMs } from '../../../lib/testkit/src/cpu-ms.ts'
import { extractPlain } from './plain.ts'
import { unwrap, wrapWidthOf } from './unwrap.ts'

test('lines wrapped by hand become sentences again, items and headings stay lines', () => {
  const text = readFileSync(new URL('../../../../documents/it/security-policy.txt', import.meta.url), 'utf8')
  const lines = extractPlain(text, 1_000_000).text.split('\n')
  expect(lines).toContain(
    '2.2 Passwords are not changed on a calendar. They are changed at once when there is a sign that they have leaked.',
  )
  expect(lines).toContain('2.1 A password must have at least 14 characters. Passphrases are encouraged.')
  expect(lines).toContain('2. PASSWORDS AND SIGN-IN')
  expect(lines.some((line) => line.startsWith('This policy applies') && line.endsWith('expire after 90 days at the latest.'))).toBe(true)
})

test('Chinese lines join without a space', () => {
  const line = '甲'.repeat(30)
  expect(unwrap([line, line, '末尾。'], 60)).toEqual([`${line}${line}末尾。`])
})

test('a line that ends of its own accord stays one; tables and drawings too', () => {
  const full = 'word '.repeat(14).trim()
  expect(unwrap([full, 'next'], 72)).toEqual([`${full} next`])
  expect(unwrap(['short line', 'next line'], 72)).toEqual(['short line', 'next line'])
  expect(unwrap([`${full}`, 'a     b'], 70)).toEqual([full, 'a     b'])
  expect(unwrap([full, '- item'], 70)).toEqual([full, '- item'])
})

test('a text of long lines, or of short ones, was not wrapped', () => {
  expect(wrapWidthOf(['x'.repeat(400), 'y'.repeat(70)])).toBeUndefined()
  expect(wrapWidthOf(['name', 'value', 'other'])).toBeUndefined()
  expect(wrapWidthOf(['a'.repeat(71), 'b'.repeat(70), 'c'.repeat(72)])).toBe(72)
})

test('a long text without a blank line takes time in proportion to its lines', () => {
  const lines = Array.from({ length: 24_000 }, (_, i) => `${'word '.repeat(14)}${String(i).padStart(5, '0')}`)
  const joined: string[] = []
  expect(cpuMs(() => joined.push(...unwrap(lines, 75)))).toBeLessThan(5_000)
  expect(joined).toEqual([lines.join(' ')])
})

test.each([
  '2026-11-21T08:15:0$ worker $ finished the job that the queue had given to it earlier',
  '2026-11-21 08:15:0$,120 WARN worker $ has not answered for longer than it may take',
  'Nov  2 08:15:0$ host daemon[$]: the connection was closed by the other side, again',
  '[08:15:0$] worker $ finished the job that the queue had given to it a while earlier',
  'ERROR: worker $ has failed to finish the job that the queue had given to it earlier',
])('the lines of a log stay lines: %s', (pattern) => {
  const lines = Array.from({ length: 8 }, (_, i) => pattern.replaceAll('$', String(i)))
  const trace = '    at the place where it went wrong and where somebody has to look after it again'
  expect(extractPlain([...lines, trace].join('\n'), 1_000_000).text.split('\n')).toEqual([...lines, trace])
})

test('prose in which lines happen to begin with a date and a time is joined', () => {
  const words = 'word '.repeat(14).trim()
  const lines = [words, words, `2026-11-21 08:15 ${words.slice(0, 53)}`, words, `INFO ${words.slice(0, 64)}`, words]
  expect(unwrap(lines, 70)).toEqual([lines.join(' ')])
})
