import { expect, test } from 'vitest'
import { codesOf } from './figures.ts'

test('codes are letters with digits, however they are joined', () => {
  expect(codesOf('PV-1007, the M60, err_07, a.b/c-9 and v2.3.1; warranty, 24 months')).toEqual([
    'pv-1007',
    'm60',
    'err_07',
    'a.b/c-9',
    'v2.3.1',
  ])
})

// with time that doubles by each letter neither would ever end
test('long words and long chains of words are read in time that grows with their length', () => {
  expect(codesOf(`${'a'.repeat(5_000)} ${'ab-'.repeat(2_000)}`)).toEqual([])
  expect(codesOf(`${'a'.repeat(5_000)}-7`)).toEqual([`${'a'.repeat(5_000)}-7`])
})
