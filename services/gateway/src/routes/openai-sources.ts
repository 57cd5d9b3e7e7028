import type { Answer } from '@docent/core/answer-event'
import type { Source } from '@docent/core/passage'
import { placeWords } from '@docent/core/place'
import { languageOf } from '@docent/core/text/language'
import type { Request } from 'express'

const plainHost = /^(?:[\w.-]+|\[[\da-f:.]+\])(?::\d+)?$/i

/**
 * Makes links to the original of a source that open outside of this request: under `publicUrl`, else under the address that the request
 * came to, as the proxies that are trusted saw it.
 */
export function linksFor(req: Pick<Request, 'host' | 'protocol'>, publicUrl: string | undefined): (source: Source) => string {
  const base = publicUrl?.replace(/\/+$/, '') ?? (plainHost.test(req.host ?? '') ? `${req.protocol}://${req.host}` : '')
  return ({ citationId, page, attachment }) =>
    // the page of an attachment is not a page of the mail
    `${base}/api/v1/citations/${citationId}/file${page && !attachment ? `#page=${page}` : ''}`
}

/**
 * Sources as OpenAI's web search tells them. Programs list them in the order they come, each once, and lead [2] to the second
 * (Open WebUI, LobeChat): so sources 1, 2, 3 … come first, each with its first span or, where nothing names it, an empty one at the
 * end, and further spans after them. Whether a span stands in its source is told beside, as nobody else tells it.
 */
export function annotationsOf(answer: Pick<Answer, 'text' | 'sources' | 'citations'>, linkTo: (source: Source) => string): object[] {
  const { text, sources, citations } = answer
  const language = languageOf(text) === 'zh' ? 'zh' : 'en'
  const annotation = (source: Source, span?: Answer['citations'][number]) => ({
    type: 'url_citation',
    url_citation: {
      start_index: span?.start ?? text.length,
      end_index: span?.end ?? text.length,
      title: [sectionOf(source), placeWords(source, language)].filter(Boolean).join(', '),
      url: linkTo(source),
      ...(span ? { verified: span.verified } : {}),
    },
  })
  const first = sources.map((source) => ({ source, span: citations.find((span) => span.source === source.n) }))
  const shown = new Set(first.map(({ span }) => span))
  const further = citations.flatMap((span) => {
    const source = shown.has(span) ? undefined : sources.find(({ n }) => n === span.source)
    return source ? [annotation(source, span)] : []
  })
  return [...first.map(({ source, span }) => annotation(source, span)), ...further]
}

/** A document is listed once for each of its passages: what tells them apart is the heading. */
function sectionOf({ title, path, heading }: Source): string {
  const headings = heading?.split(' › ') ?? []
  const last = headings.findLast((part) => part.trim() !== '' && part !== title)
  return [title || path, last].filter(Boolean).join(' › ')
}

/** Why it ended, in words that OpenAI's clients know: whatever is not whole is `length`, for they have no other for it. */
export function finishReasonOf(answer: Pick<Answer, 'state' | 'warnings'> | undefined): 'stop' | 'length' | 'content_filter' {
  const told = new Set(answer?.warnings?.map(({ code }) => code))
  if (told.has('filtered')) return 'content_filter'
  return told.has('length') || (answer && answer.state !== 'done') ? 'length' : 'stop'
}
