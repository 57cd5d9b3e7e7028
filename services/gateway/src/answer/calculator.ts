const MAX_CHARS = 200
const MAX_DEPTH = 40
const token = /\s*(?:(\d+(?:\.\d*)?(?:e[+-]?\d+)?|\.\d+(?:e[+-]?\d+)?)|([a-z][a-z0-9]*)|(\*\*|[-+*/%^(),]))/iy

const constants: Readonly<Record<string, number>> = { pi: Math.PI, e: Math.E }
const functions: Readonly<Record<string, { least: number; most: number; of: (...values: number[]) => number }>> = {
  sqrt: { least: 1, most: 1, of: Math.sqrt },
  abs: { least: 1, most: 1, of: Math.abs },
  floor: { least: 1, most: 1, of: Math.floor },
  ceil: { least: 1, most: 1, of: Math.ceil },
  ln: { least: 1, most: 1, of: Math.log },
  log: { least: 1, most: 1, of: Math.log10 },
  exp: { least: 1, most: 1, of: Math.exp },
  round: { least: 1, most: 2, of: (value, digits = 0) => Math.round(value * 10 ** digits) / 10 ** digits },
  min: { least: 1, most: 20, of: Math.min },
  max: { least: 1, most: 20, of: Math.max },
}

/**
 * The value of an arithmetic expression: + - * / % ^ (or **), parentheses, pi, e and a few functions. Nothing of it is ever run as
 * code. Numbers are IEEE 754 doubles, shown with up to 15 digits. Errors: RangeError, SyntaxError with a message for who asked.
 */
export function calculate(expression: string): string {
  if (expression.length > MAX_CHARS) throw new RangeError(`The expression has more than ${MAX_CHARS} characters.`)
  const tokens = tokensOf(expression.normalize('NFKC').replaceAll('×', '*').replaceAll('÷', '/').replaceAll('−', '-'))
  let at = 0
  let depth = 0
  const take = (...signs: string[]): string | undefined => (signs.includes(tokens[at]!) ? tokens[at++] : undefined)
  const expect = (sign: string): void => {
    if (!take(sign)) throw new SyntaxError(`"${sign}" is missing${tokens[at] === undefined ? ' at the end' : ` before "${tokens[at]}"`}.`)
  }

  function sum(): number {
    let value = product()
    for (let sign = take('+', '-'); sign; sign = take('+', '-')) value = sign === '+' ? value + product() : value - product()
    return value
  }
  function product(): number {
    let value = signed()
    for (let sign = take('*', '/', '%'); sign; sign = take('*', '/', '%')) {
      const other = signed()
      if (sign !== '*' && other === 0) throw new RangeError('It divides by zero.')
      value = sign === '*' ? value * other : sign === '/' ? value / other : value % other
    }
    return value
  }
  // binds looser than the power: -2^2 is -4
  function signed(): number {
    if (++depth > MAX_DEPTH) throw new RangeError('It is nested too deep.')
    const sign = take('+', '-')
    const value = sign ? signed() : power()
    depth--
    return sign === '-' ? -value : value
  }
  function power(): number {
    const base = atom()
    return take('^', '**') ? base ** signed() : base
  }
  function atom(): number {
    if (take('(')) {
      const value = sum()
      expect(')')
      return value
    }
    const word = tokens[at++]
    if (word === undefined) throw new SyntaxError('It ends too early.')
    if (/^[\d.]/.test(word)) return Number(word)
    if (Object.hasOwn(constants, word)) return constants[word]!
    if (!Object.hasOwn(functions, word)) throw new SyntaxError(`"${word}" is not known here.`)
    const { least, most, of } = functions[word]!
    expect('(')
    const values = [sum()]
    while (take(',')) values.push(sum())
    expect(')')
    if (values.length < least || values.length > most) throw new SyntaxError(`"${word}" takes ${least} to ${most} values.`)
    return of(...values)
  }

  const value = sum()
  if (at < tokens.length) throw new SyntaxError(`"${tokens[at]}" is not expected.`)
  if (!Number.isFinite(value)) throw new RangeError('The result is not a finite number.')
  return String(Number(value.toPrecision(15)))
}

function tokensOf(expression: string): string[] {
  const tokens: string[] = []
  const end = expression.trimEnd().length
  for (token.lastIndex = 0; token.lastIndex < end; ) {
    const from = token.lastIndex
    const match = token.exec(expression)
    if (!match) throw new SyntaxError(`"${expression.slice(from).trim()[0]}" is not understood.`)
    tokens.push((match[1] ?? match[2] ?? match[3])!.toLowerCase())
  }
  return tokens
}
