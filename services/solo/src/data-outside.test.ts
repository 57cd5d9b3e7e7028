import { mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { requireDataOutside } from './data-outside.ts'

const place = mkdtempSync(join(tmpdir(), 'docent-outside-'))
afterAll(() => rmSync(place, { recursive: true, force: true }))
const folder = join(place, 'manuals')
mkdirSync(join(folder, 'deep'), { recursive: true })
symlinkSync(join(folder, 'deep'), join(place, 'link'))

test.for(['manuals', 'manuals/docent', 'manuals/deep/not/there/yet', 'link/docent'])('%s is among the documents', (path) => {
  expect(() => requireDataOutside(folder, join(place, path))).toThrow(/--data: .* lies in the folder of documents/)
})

test.for(['docent', 'manuals-data', 'manuals/.docent', 'manuals/.cache/docent/folders/x', 'not/there/yet'])('%s is not', (path) => {
  expect(() => requireDataOutside(folder, join(place, path))).not.toThrow()
})
