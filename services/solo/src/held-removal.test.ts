import { expect, test } from 'vitest'
import { createRemovalTeller } from './held-removal.ts'

const door = { url: 'http://127.0.0.1:8080', keyFile: '.docent/admin-key' }
const held = `many files are gone at once: their removal waits for a yes, which is  curl -X POST http://127.0.0.1:8080/api/v1/documents/confirm-removal -H "authorization: Bearer $(cat '.docent/admin-key')"`

test('a removal that waits is told in one line with what to do, and so is its end', () => {
  const lines: string[] = []
  const removals = createRemovalTeller((line) => lines.push(line))
  removals.open(door)
  removals.onPause('disk', true)
  removals.onPause('mass_removal', true)
  removals.onPause('mass_removal', false)
  expect(lines).toEqual([held, 'no removal waits any more'])
})

test('one that waits since before the terminal was free is told when it is', () => {
  const lines: string[] = []
  const removals = createRemovalTeller((line) => lines.push(line))
  removals.onPause('mass_removal', true)
  expect(lines).toEqual([])
  removals.open(door)
  expect(lines).toEqual([held])
})

test('a folder that is moved away is told, and that it is back', () => {
  const lines: string[] = []
  const removals = createRemovalTeller((line) => lines.push(line))
  removals.open(door)
  removals.onPause('folder_missing', true)
  removals.onPause('folder_missing', false)
  expect(lines).toEqual(['the folder of documents is missing: nothing is removed until it is back', 'the folder of documents is back'])
})
