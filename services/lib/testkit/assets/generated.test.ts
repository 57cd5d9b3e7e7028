import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { listVariables, renderEnvExample, withTable } from '../src/env-docs.ts'

const root = new URL('../../../../', import.meta.url)
const read = (name: string) => readFileSync(new URL(name, root), 'utf8')

test('.env.example and the configuration tables are what `pnpm run generate` writes', () => {
  expect(read('.env.example')).toBe(renderEnvExample())
  for (const name of ['README.md', 'README.zh-CN.md']) expect(read(name)).toBe(withTable(read(name)))
})

test('every variable says what it does', () => {
  expect(listVariables().filter(({ description }) => description.length < 10)).toEqual([])
})
