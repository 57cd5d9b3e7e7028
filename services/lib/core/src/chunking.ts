import { z } from 'zod'

/** Bounds in characters: of the configuration, of folders and of settings alike. */
export const chunkBounds = { size: { min: 100, max: 4_000 }, overlap: { min: 0, max: 1_000 } } as const
const whole = (what: keyof typeof chunkBounds) => {
  const { min, max } = chunkBounds[what]
  return z.int('must be a whole number').min(min, `must be at least ${min}`).max(max, `must be at most ${max}`)
}
export const chunkSize = whole('size')
export const chunkOverlap = whole('overlap')

/** How documents are cut: characters of a chunk, and how many of them neighbours share at most. */
export type Chunking = { size: number; overlap: number }
export const Chunking = z
  .strictObject({ size: chunkSize, overlap: chunkOverlap })
  .refine(({ size, overlap }) => overlap <= size / 2, { path: ['overlap'], message: 'must be at most half of size' })

/** What the settings of this version ask ingest for; null: what its configuration says. */
export const ChunkingOrder = z.strictObject({ settingsVersion: z.int().min(0).max(2_000_000_000), chunking: Chunking.nullable() })
export type ChunkingOrder = z.infer<typeof ChunkingOrder>

/** What ingest cuts by now, where no folder says otherwise. */
export const ChunkingState = z.object({
  size: z.int(),
  overlap: z.int(),
  from: z.enum(['settings', 'configuration']),
  /** the newest version of the settings that ingest was told of; null: none yet */
  settingsVersion: z.int().nullable(),
  /** searchable documents whose chunks are cut otherwise than they would be now */
  documentsLeft: z.int(),
})
export type ChunkingState = z.infer<typeof ChunkingState>

/** What another chunking would cost, at most: texts that come out the same keep their vectors, and cost nothing. */
export const ChunkingCost = z.object({
  /** documents that would be indexed anew */
  documents: z.int(),
  /** the chunks that these have now */
  chunks: z.int(),
  tokens: z.int(),
  /** as long as they took when they were indexed before */
  minutes: z.number(),
  money: z.object({ amount: z.number(), currency: z.string() }).nullable(),
})
export type ChunkingCost = z.infer<typeof ChunkingCost>
