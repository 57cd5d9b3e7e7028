import { randomBytes } from 'node:crypto'
import type { Passage, SearchResponse, Source } from '@docent/core/passage'
import { placeOf } from '@docent/core/place'
import { faultPoint } from '@docent/kit/fault-point'
import type { ChatMessage, TokenCounts } from '@docent/models/chat-model'
import type { RetrievalClient } from '../clients/retrieval-client.ts'
import type { Events } from '../events.ts'
import type { AnswerCache, CachedText } from '../store/answer-cache.ts'
import type { Citations, ShownSource } from '../store/citations.ts'
import { citationsOf, unknownMarkers } from './cite.ts'
import { chooseQuotes, type Scorer } from './extractive.ts'
import { isElliptic, rightBefore } from './follow-up.ts'
import { type Attempt, generate } from './generate.ts'
import { generateWithTools } from './generate-with-tools.ts'
import { degrade, type Job, type Shown, warn } from './job.ts'
import { byGate, judgeQuotes } from './judge-quotes.ts'
import { createPlainMarkers } from './marker-styles.ts'
import { say, wordsIn } from './phrases.ts'
import { promptTokens, today } from './prompt.ts'
import type { Price, Provider } from './providers.ts'
import { isRefusal } from './refusals.ts'
import { inOne, type Wanted } from './search.ts'
import { estimateTokens } from './tokens.ts'
import type { Toolset } from './tools.ts'
import { unsupportedIn } from './unsupported.ts'
import { writeQuotes } from './write-quotes.ts'

// of the sentences that a warning is about, in characters
const QUOTED = 3
const MOST_QUOTED = 100

export type StepDeps = {
  retrieval: RetrievalClient
  providers: readonly Provider[]
  cache: AnswerCache
  citations: Citations
  events: Events
}

/** Whether the answer goes on for a while after its sources are told, or is over with them: then they are stored with its end. */
export type Going = 'on' | 'over'

/** Numbers the passages, stores what stands behind each citation id, and tells the reader. */
export function showSources(job: Job, deps: StepDeps, passages: readonly Passage[], going: Going): Shown[] {
  const shown = numbered(passages)
  tellSources(job, deps, shown, going)
  return shown
}

export function numbered(passages: readonly Passage[], after = 0): Shown[] {
  return passages.map((passage, i) => ({ passage, source: sourceOf(passage, after + i + 1) }))
}

/** Into the record, to the reader and to where citation ids lead. */
export function tellSources(job: Job, deps: Pick<StepDeps, 'citations' | 'events'>, shown: ShownSource[], going: Going): void {
  const { answerable, approved } = job.found
  job.found.sources = shown.map(({ source }) => source)
  job.found.record.sources = shown.map(sourceNote)
  job.stream.push({ type: 'sources', data: { sources: job.found.sources, answerable, ...(approved ? { approved } : {}) } })
  if (shown.length === 0) return
  if (going === 'on') storeSources(job, deps, shown)
  else job.found.unstored = shown
}

/** Not waited for; what fails now is tried again with the answer's end. */
function storeSources(job: Job, deps: Pick<StepDeps, 'citations' | 'events'>, shown: ShownSource[]): void {
  const saved = deps.citations.save(job.answerId, shown).catch((error: unknown) => {
    job.found.unstored = shown
    deps.events.stepFailed(job.answerId, 'citations', error)
  })
  job.found.pending.push(saved)
}

function sourceOf(passage: Passage, n: number): Source {
  const { documentId, path, title, mediaType, heading, start, end, snippet, score } = passage
  const place = { ...placeOf(passage), ...(heading === undefined ? {} : { heading }) }
  return { n, citationId: randomBytes(16).toString('base64url'), documentId, path, title, mediaType, ...place, start, end, snippet, score }
}

/** What the record keeps of a source: enough to find it again in a replay. */
function sourceNote({ source: { n, documentId, path, start, end, score }, passage: { chunkId, version, scores } }: ShownSource) {
  return { n, documentId, path, start, end, score, chunkId, version, ...(scores ? { scores } : {}) }
}

export function noteSearch(job: Job, found: SearchResponse): void {
  const { rerank, rerankBy } = job.settings.settings
  job.found.answerable = found.answerable
  job.found.record.retrieval = {
    rerank: rerank && !found.degraded.includes('rerank') ? rerankBy : 'off',
    configVersion: found.configVersion,
    generation: found.generation,
    tookMs: found.tookMs,
    gate: found.gate,
    ...(found.explain ? { plan: found.explain.plan, candidates: found.explain.candidates } : {}),
  }
  for (const step of found.degraded) degrade(job, step)
}

/** An honest “not in the documents”, with the closest sources offered; an empty index is another matter. */
export function answerNotFound(job: Job, deps: StepDeps, { passages, indexed }: SearchResponse): void {
  job.found.answerable = false
  showSources(job, deps, passages.slice(0, job.settings.settings.topK), 'over')
  // one that is bound to collections may be without documents where others are not
  const without = job.principal.collections ? 'noneHere' : 'noDocuments'
  const own = wordsIn(job.persona.refusal, job.tongue)
  const said = indexed === 0 && !(own && job.principal.collections) ? say(without, job.tongue) : (own ?? say('notFound', job.tongue))
  job.stream.delta(said, 'over')
  // a persona's words may be in another language than the question
  const gap = /[\p{sc=Han}\u3000-\u303f\uff00-\uffef]$/u.test(said) ? '' : ' '
  if (passages.length > 0) job.stream.delta(gap + say('closest', job.tongue), 'over')
}

/** Quotes the documents: no model is needed. */
export async function answerByQuoting(
  job: Job,
  deps: StepDeps,
  found: SearchResponse,
  wanted: Wanted,
  already?: readonly Shown[],
): Promise<void> {
  const started = performance.now()
  const ids = { requestId: job.requestId, traceId: job.traceId }
  // with the question before it a follow-up is scored for what was answered already; one that only names another thing needs it
  const text = isElliptic(wanted) ? inOne({ ...wanted, previous: rightBefore(wanted.previous ?? '') }) : wanted.query
  const score: Scorer = (sentences) => deps.retrieval.sentences(text, sentences, job.principal, ids, job.abort.signal)
  const candidates = already ? already.map(({ passage }) => passage) : found.passages
  const { quotes, degraded, signs } = await chooseQuotes(wanted, candidates, score)
  for (const step of degraded) degrade(job, step)
  job.found.timings.quoteMs = Math.round(performance.now() - started)
  // the words of a follow-up stand in the question before it: there the gate decides, which has seen both
  const isJudged = signs !== undefined && wanted.previous === undefined && !job.turns
  const verdict = isJudged ? judgeQuotes(found, signs) : { judgement: byGate(found, signs) }
  job.found.record.quoted = { ...verdict, ...signs }
  if (quotes.length === 0 || (verdict.judgement === 'unsaid' && !already)) return answerNotFound(job, deps, found)
  const isSure = verdict.judgement === 'sure'
  job.found.answerable = isSure

  // quoted passages are always shown; others fill up to topK, in the order of their rank
  const quoted = new Set(quotes.map((quote) => quote.passage))
  const room = Math.max(0, job.settings.settings.topK - quoted.size)
  const extra = new Set(found.passages.filter((passage) => !quoted.has(passage)).slice(0, room))
  const shown =
    already ??
    showSources(
      job,
      deps,
      found.passages.filter((passage) => quoted.has(passage) || extra.has(passage)),
      'over',
    )
  const numberOf = (passage: Passage) => shown.find((entry) => entry.passage === passage)!.source.n
  const answer = writeQuotes(quotes, say(isSure ? 'quoted' : 'doubtful', job.tongue), numberOf)
  const pictured = [...new Set(quotes.filter(({ passage }) => passage.ocr).map(({ passage }) => `[${numberOf(passage)}]`))]
  const note = pictured.length > 0 ? `\n\n${say('readByOcr', job.tongue)}${pictured.join(' ')}` : ''
  const offset = job.stream.text.length
  job.stream.delta(answer.text + note, 'over')
  job.found.citations = answer.citations.map((span) => ({ ...span, start: span.start + offset, end: span.end + offset }))
}

/** Gives what a model said before, with the citations checked again. */
export function answerFromCache(job: Job, deps: StepDeps, passages: readonly Passage[], { text, model }: CachedText): void {
  const shown = showSources(job, deps, passages, 'over')
  job.found.model = model
  job.stream.delta(text, 'over')
  cite(job, shown, 'whole', () => [job.question, job.persona.prompt, today()].join('\n'))
}

type Aids = {
  /** what the model says is kept under it */
  cacheKey?: string | undefined
  /** what it may call first */
  tools?: Toolset | undefined
  /** said before its first word */
  opening?: string
}

/** Asks the model; true when it said something. */
export async function answerByModel(
  job: Job,
  deps: StepDeps,
  messages: readonly ChatMessage[],
  shown: readonly Shown[],
  { cacheKey, tools, opening = '' }: Aids = {},
): Promise<boolean> {
  const { settings } = job.settings
  const started = performance.now()
  job.found.estimatedInput = promptTokens(messages)
  const request = { messages, temperature: settings.temperature, maxTokens: settings.maxTokens }
  let first = true
  let asked: Provider | undefined
  let isOpen = false
  const show = (text: string): void => {
    if (text === '') return
    job.stream.delta(isOpen ? text : opening + text)
    isOpen = true
  }
  // with tools more sources may come
  const markers =
    shown.length > 0 || tools
      ? createPlainMarkers(
          (n) => shown.some(({ source }) => source.n === n),
          () => job.stream.text,
        )
      : undefined
  const attempts: Attempt[] = []
  job.found.record.providers = attempts
  const listener = {
    asking(provider: Provider) {
      asked = provider
      job.found.price = provider.price
    },
    text(text: string) {
      faultPoint(first ? 'S3' : 'S4')
      if (first) job.found.timings.firstTokenMs = Math.round(performance.now() - started)
      // said with the first word, when it is known whose it is
      if (first && attempts.some(({ outcome }) => outcome !== 'answered')) degrade(job, 'provider', isAtLimit(attempts))
      if (first) tools?.tell()
      if (first && asked) job.found.model = asked.model
      show(markers ? markers.push(text) : text)
      first = false
    },
    attempted(attempt: Attempt, error?: Error) {
      attempts.push(attempt)
      deps.events.providerAttempted(job.answerId, attempt, error)
    },
    spent: (counts: TokenCounts) => book(job, counts),
  }
  const given = () => [...messages.map(({ content }) => content), tools?.heard()].join('\n')
  const { signal } = job.abort
  const generated = tools?.specs.length
    ? generateWithTools(deps.providers, request, signal, listener, tools)
    : generate(deps.providers, request, signal, listener)
  const outcome = await generated.catch((error: unknown) => {
    tools?.tell()
    // broken off or stopped: what was shown till then is checked all the same
    show(markers?.end() ?? '')
    if (!first) cite(job, shown, 'broken', given)
    throw error
  })
  show(markers?.end() ?? '')
  faultPoint('S5')
  job.found.timings.modelMs = Math.round(performance.now() - started)
  if ('declined' in outcome) return false
  if ('failed' in outcome) {
    job.found.estimatedInput = 0
    // where the documents hold nothing the model would have been asked for its tools only
    degrade(job, tools && !tools.mayShow() ? 'tools' : 'model', isAtLimit(attempts))
    job.found.record.modelError = { code: outcome.failed.code, message: outcome.failed.message }
    return false
  }
  job.found.model = outcome.model
  job.found.record.provider = outcome.provider
  const usage = outcome.usage ?? { inputTokens: job.found.estimatedInput, outputTokens: estimateTokens(job.stream.text) }
  book(job, usage)
  const cut = outcome.finish === 'length' ? 'length' : outcome.finish === 'content_filter' ? 'filtered' : undefined
  if (cut) warn(job, cut, say(cut, job.tongue))
  else if (cacheKey && attempts.length === 1)
    job.found.pending.push(deps.cache.keep(cacheKey, { text: job.stream.text, model: outcome.model }).catch(() => undefined))
  cite(job, shown, cut ? 'cut' : 'whole', given)
  return true
}

/** Whether nobody failed, and a limit alone kept from asking. */
function isAtLimit(attempts: readonly Attempt[]): boolean {
  const outcomes = attempts.map(({ outcome }) => outcome)
  return outcomes.includes('limited') && !outcomes.includes('failed') && !outcomes.includes('skipped')
}

/** Checks the markers of the text against the sources that they name, and what has none against all of them and what else was `given`. */
function cite(job: Job, shown: readonly Shown[], told: 'whole' | 'cut' | 'broken', given: () => string): void {
  const texts = new Map(shown.map(({ source, passage }) => [source.n, textOf(passage)]))
  const derived: number[] = []
  job.found.citations = citationsOf(job.stream.text, texts, `${job.question}\n${today()}`, derived)
  const unknown = unknownMarkers(job.stream.text, texts)
  if (unknown.length > 0) {
    warn(job, 'unknown_source', say('unknownSource', job.tongue) + unknown.map((n) => `[${n}]`).join(', '))
    job.found.record.unknownMarkers = unknown
  }
  if (shown.length > 0 && isRefusal(job.stream.text, job.found.citations, wordsIn(job.persona.refusal, job.tongue))) {
    job.found.answerable = false
    job.found.record.isRefused = true
    // broken off, it may not have come to its first marker
  } else if (told !== 'broken' && shown.length > 0 && job.found.citations.length === 0) {
    warn(job, 'uncited', say('uncited', job.tongue))
    job.found.record.isUncited = true
  }
  if (job.found.citations.length > 0) noteUnsupported(job, told, () => [...texts.values(), given()].join('\n'), derived)
}

/** Sentences without a marker whose figures stand nowhere: what a reader would take for supported as the others are. */
function noteUnsupported(job: Job, told: Parameters<typeof cite>[2], known: () => string, derived: number[]): void {
  const { text } = job.stream
  const found = unsupportedIn(text, job.found.citations, known, derived)
  // the last words of a text that was cut may be half a figure
  const spans = told === 'whole' ? found : found.filter(({ end }) => end < text.trimEnd().length)
  if (spans.length === 0) return
  const quotes = spans.slice(0, QUOTED).map(({ start, end }) => `“${shortened(text.slice(start, end))}”`)
  warn(job, 'unsupported', `${say('unsupported', job.tongue)}${quotes.join(' ')}${spans.length > QUOTED ? ' …' : ''}`)
  job.found.record.unsupported = spans
}

function shortened(sentence: string): string {
  const characters = [...sentence.replace(/^[\s>#*-]+|\s+$/g, '')]
  return characters.length > MOST_QUOTED ? `${characters.slice(0, MOST_QUOTED).join('')}…` : characters.join('')
}

/** What a model was shown of a source: its name and the section around it. */
function textOf({ title, path, heading, text, parent }: Passage): string {
  return [title, path, heading, text, parent.text].filter(Boolean).join('\n')
}

/** Added to what the rounds before have used. */
function book(job: Job, counts: TokenCounts): void {
  const { inputTokens, outputTokens, cost, currency } = job.found.usage
  const more = costOf(counts, job.found.price)
  const money =
    cost === undefined && more.cost === undefined ? {} : { cost: (cost ?? 0) + (more.cost ?? 0), currency: more.currency ?? currency! }
  job.found.usage = { inputTokens: inputTokens + counts.inputTokens, outputTokens: outputTokens + counts.outputTokens, ...money }
}

/** Money for tokens, when prices are known. */
export function costOf(
  usage: { inputTokens: number; outputTokens: number },
  price: Price | undefined,
): { cost?: number; currency?: string } {
  if (!price) return {}
  return { cost: (usage.inputTokens * price.input + usage.outputTokens * price.output) / 1_000_000, currency: price.currency }
}

/** The most that a use can cost at any of these prices. */
export function greatestCost(use: Parameters<typeof costOf>[0], prices: readonly (Price | undefined)[]): number {
  return Math.max(0, ...prices.map((price) => costOf(use, price).cost ?? 0))
}

/** A cut stream names no usage: what was sent and shown is booked all the same. */
export function countWhatWasSent({ found, stream }: Pick<Job, 'found' | 'stream'>): void {
  if (found.estimatedInput === 0 || found.usage.inputTokens > 0) return
  const usage = { inputTokens: found.estimatedInput, outputTokens: estimateTokens(stream.text) }
  found.usage = { ...usage, ...costOf(usage, found.price) }
}
