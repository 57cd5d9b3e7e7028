import { expect, test } from 'vitest'
import { csvCell } from './records-csv.ts'

test('a cell is quoted where it must be, and never a formula', () => {
  expect(csvCell('a "b", c')).toBe('"a ""b"", c"')
  expect(csvCell('line\nbreak')).toBe('"line\nbreak"')
  expect(csvCell('=HYPERLINK("http://evil.example")')).toBe(`"'=HYPERLINK(""http://evil.example"")"`)
  expect(csvCell('+1')).toBe("'+1")
  expect(csvCell(-1)).toBe('-1')
  expect(csvCell(undefined)).toBe('')
})
