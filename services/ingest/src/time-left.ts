import type { IndexingLoad } from '@docent/corpus/corpus'

/**
 * Seconds until all that waits is indexed: the chunks that are left, over the pace at which chunks were made. What a document in work has
 * left is known once it embeds; for any other, its bytes say how many chunks to expect, by those of its media type, else by all.
 * null: not known, for nothing was indexed yet to tell the pace or the size.
 */
export function timeLeft({ made, samples, running, queued }: IndexingLoad): number | null {
  const embeds = running.flatMap(({ mediaType, bytes, progress }) =>
    progress?.stage === 'embed' ? [{ mediaType, bytes, chunks: progress.total }] : [],
  )
  const known = [...samples, ...embeds].filter(({ bytes }) => bytes > 0)
  const expect = (mediaType: string, bytes: number, documents: number): number => {
    const alike = known.filter((one) => one.mediaType === mediaType)
    const from = alike.length > 0 ? alike : known
    return Math.max(documents, (bytes * sum(from, 'chunks')) / sum(from, 'bytes')) // none known: NaN
  }
  const left = [
    ...running.map(({ mediaType, bytes, progress }) => {
      if (progress?.stage === 'embed') return Math.max(0, progress.total - progress.done)
      // the pages that were read from pictures are most of such a document's work
      const share = progress?.stage === 'ocr' && progress.total > 0 ? 1 - progress.done / progress.total : 1
      return share * expect(mediaType, bytes, 1)
    }),
    ...queued.map(({ mediaType, bytes, documents }) => expect(mediaType, bytes, documents)),
  ].reduce((all, one) => all + one, 0)
  const seconds = (left * made.seconds) / made.chunks
  return Number.isFinite(seconds) ? Math.ceil(seconds) : null
}

function sum<Name extends string>(list: readonly Record<Name, number>[], name: Name): number {
  return list.reduce((all, one) => all + one[name], 0)
}
