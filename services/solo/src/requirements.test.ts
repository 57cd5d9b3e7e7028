import { expect, test } from 'vitest'
// @ts-expect-error: a plain script, which runs on the machine's own Node before anything is installed
import { missingOnMachine } from '../bin/requirements.mjs'

type Machine = { env: Record<string, string>; glibc: number[] | undefined; has(tool: string): boolean; isCached(prefix: string): boolean }

function missing({ tools = '', ...machine }: Partial<Machine> & { tools?: string }): string[] {
  return missingOnMachine({
    env: {},
    glibc: [2, 36],
    has: (tool: string) => tools.split(' ').includes(tool),
    isCached: () => false,
    ...machine,
  })
}

test('a new glibc and a Redis are enough, an old one needs the tools that fetch a newer one', () => {
  expect(missing({ glibc: [2, 41], tools: 'valkey-server' })).toEqual([])
  expect(missing({ tools: 'redis-server apt-get apt-cache dpkg gpgv' })).toEqual([])
  expect(missing({ tools: 'apt-get apt-cache dpkg' })).toEqual([
    expect.stringMatching(/needs glibc 2\.39 and this system has 2\.36.*gpgv is missing/),
  ])
  expect(missing({})).toEqual([
    expect.stringContaining('apt-get, apt-cache, dpkg, gpgv are missing'),
    expect.stringContaining('redis-server or valkey'),
  ])
})

test('what is given by address or was fetched before is not needed', () => {
  expect(missing({ env: { CHROMA_URL: 'http://c', QUEUE_URL: 'redis://q', CACHE_URL: 'redis://c' } })).toEqual([])
  expect(missing({ isCached: () => true })).toEqual([])
})

test('another C library is told', () => {
  expect(missing({ glibc: undefined })).toEqual([expect.stringContaining('glibc only')])
})
