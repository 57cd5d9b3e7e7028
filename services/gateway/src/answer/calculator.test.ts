import { expect, test } from 'vitest'
import { calculate } from './calculator.ts'

test.for([
  ['1 + 2 * 3', '7'],
  ['(1+2)*3', '9'],
  ['2^3^2', '512'],
  ['-2^2', '-4'],
  ['2**-1', '0.5'],
  ['10 / 4 - 1', '1.5'],
  ['10 - 4 - 3', '3'],
  ['17 % 5', '2'],
  ['0.1 + 0.2', '0.3'],
  ['1e3 * .5', '500'],
  ['２４ × 30 ÷ 2', '360'],
  ['sqrt(2)^2', '2'],
  ['max(1, 2, min(7, 5))', '5'],
  ['round(3.14159, 2)', '3.14'],
  ['2 * PI', '6.28318530717959'],
  ['--3', '3'],
])('%s = %s', ([expression, value]) => {
  expect(calculate(expression!)).toBe(value)
})

test.for([
  ['', 'ends too early'],
  ['1 +', 'ends too early'],
  ['(1', '")" is missing at the end'],
  ['1 2', 'not expected'],
  ['1 / 0', 'by zero'],
  ['5 % 0', 'by zero'],
  ['9^9^9', 'not a finite number'],
  ['sqrt(0-1)', 'not a finite number'],
  ['process.exit(1)', '"." is not understood'],
  ['require(1)', '"require" is not known'],
  ['constructor', '"constructor" is not known'],
  ['1;2', '";" is not understood'],
  ['sqrt(1,2)', 'takes 1 to 1'],
  ['('.repeat(90), 'nested too deep'],
  ['-'.repeat(90), 'nested too deep'],
])('%s is refused: %s', ([expression, why]) => {
  expect(() => calculate(expression!)).toThrow(why)
})

test('a long expression is refused', () => {
  expect(() => calculate('1+'.repeat(150))).toThrow('more than 200')
})
