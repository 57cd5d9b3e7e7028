import type { Block, Extracted, Locator } from '@docent/core/document'

export type { Block, Extracted, Locator }
export type BlockKind = Block['kind']

/** What the child is told about a document; the bytes follow on its standard input. */
export type Job = { path: string; size: number; maxOutputBytes: number }
