import { expect, test } from 'vitest'
import { isDatabaseTrouble, isDiskFull } from './database-trouble.ts'

const coded = (code: string, message = 'x') => Object.assign(new Error(message), { code })

test.for([
  coded('ECONNREFUSED'),
  coded('ECONNRESET'),
  coded('ENOTFOUND', 'getaddrinfo ENOTFOUND postgres'),
  coded('EAI_AGAIN', 'getaddrinfo EAI_AGAIN postgres'),
  coded('EHOSTUNREACH', 'connect EHOSTUNREACH 172.18.0.4:5432'),
  coded('ENETUNREACH'),
  coded('ETIMEDOUT', 'connect ETIMEDOUT 172.18.0.4:5432'),
  coded('EPIPE', 'write EPIPE'),
  coded('57P01', 'the server is being shut down'),
  coded('53300', 'too many connections'),
  coded('57014', 'statement timeout'),
  coded('40P01', 'deadlock detected'),
  coded('55P03', 'lock not available'),
  new Error('Query read timeout'),
  new Error('timeout exceeded when trying to connect'),
  new Error('Connection terminated unexpectedly'),
])('it passes: $code $message', (error) => {
  expect(isDatabaseTrouble(error)).toBe(true)
})

test.for([coded('23505', 'duplicate key'), coded('42P01', 'relation does not exist'), new Error('anything else'), 'no error at all', null])(
  'it does not: %o',
  (error) => {
    expect(isDatabaseTrouble(error)).toBe(false)
  },
)

test('a disk without room is told from other trouble, also behind another error', () => {
  const full = coded('53100', 'could not extend file')
  expect([full, new Error('unavailable', { cause: full }), coded('53300'), null].map(isDiskFull)).toEqual([true, true, false, false])
})
