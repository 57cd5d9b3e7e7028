import { AppError } from '@docent/core/errors'
import type { Passage } from '@docent/core/passage'
import type { ChatMessage } from '@docent/models/chat-model'
import type { AnswerDeps } from './answer.ts'
import { withAttachments } from './attached.ts'
import { findCached } from './cached.ts'
import { chooseSources } from './choose-sources.ts'
import { condense, historyRoom } from './condense.ts'
import { toneRules } from './emotion.ts'
import { degrade, type Job, type Shown } from './job.ts'
import { isForModel, isWorthReading } from './judge-quotes.ts'
import { withOtherWords } from './other-words.ts'
import { wordsIn } from './phrases.ts'
import { buildPrompt } from './prompt.ts'
import { fittingFacts } from './remember.ts'
import { rerankByModel } from './rerank-by-model.ts'
import { answerAsApproved } from './saved.ts'
import { searchFor } from './search.ts'
import { greetingRule, replyTo, type SmallTalk, smallTalkOf, smallTalkRules } from './small-talk.ts'
import { answerByModel, answerByQuoting, answerFromCache, answerNotFound, noteSearch, numbered, showSources } from './steps.ts'
import { createToolset, type ToolsetOptions, toolRules } from './tools.ts'
import { wholeDocument } from './whole-document.ts'
import { answerWithoutSources, mayDoWithoutSources, withoutSourcesRules } from './without-sources.ts'

/** What a process keeps between answers. */
export type WritingAids = {
  /** what is remembered of who asks, into the job */
  recall: (job: Job) => Promise<void>
  /** providers that answer only without tools */
  refusing: Set<string>
}

/** The order of steps. */
export async function writeAnswer(job: Job, deps: AnswerDeps, { recall, refusing }: WritingAids): Promise<void> {
  const { settings } = job.settings
  const mayAsk = deps.providers.length > 0 && !job.overBudget
  const asking = mayAsk ? deps : { ...deps, providers: [] }
  const began = performance.now()
  const { history, previous, summary } = await condense(deps.messages, job)
  await recall(job)
  job.found.timings.condenseMs = Math.round(performance.now() - began)
  const facts = fittingFacts(job.known)
  const prompt = (passages: readonly Passage[], rules: readonly string[] = []) => {
    // ids only: the facts themselves are the reader's, and go when he deletes them
    if (facts.length > 0) job.found.record.memory = { used: facts.map(({ id }) => id) }
    return buildPrompt({
      persona: job.persona.prompt,
      question: job.question,
      tongue: job.tongue,
      passages,
      history,
      summary,
      facts: facts.map(({ fact }) => fact),
      refusal: wordsIn(job.persona.refusal, job.tongue),
      rules: [...rules, ...toneRules(job.emotion)],
      historyTokens: historyRoom(settings.historyTokens, summary),
    })
  }

  const usesTools = deps.toolsEnabled && mayAsk && settings.tools.length > 0
  const toolset = (options: Omit<ToolsetOptions, 'refusing'>) =>
    usesTools ? createToolset(job, deps, { ...options, refusing }) : undefined

  const kind = smallTalkOf(job.question)
  const greeting = kind === 'greeting' ? wordsIn(job.persona.greeting, job.tongue) : undefined
  if (!deps.ragEnabled) {
    showSources(job, deps, [], 'on')
    const tools = toolset({ shown: [], isAnswered: true, withSearch: false })
    const rules = [...(greeting === undefined ? [] : [greetingRule(greeting)]), ...(tools ? toolRules.plain : [])]
    if (!(await answerByModel(job, deps, prompt([], rules), [], { tools }))) throw nobodyAnswers(job)
    return
  }
  if (job.approved && (await answerAsApproved(job, deps, job.approved))) return
  // an approved answer goes first: so an owner greets in his own words
  if (kind) return answerSmallTalk(job, asking, prompt([], smallTalkRules(greeting)), kind, greeting)
  const own = job.ahead ?? searchFor(job, previous, deps)
  const worded = await withOtherWords(job, asking, own, history).catch((error: unknown) => {
    if (mayDoWithoutSources(job, asking, error)) return { down: error }
    throw error
  })
  if ('down' in worded) return answerWithoutSources(job, asking, prompt([], withoutSourcesRules), worded.down)
  const { found: first, wanted } = worded
  const { query, found: alone, ms } = await own
  job.found.timings.retrievalMs = ms
  const searched = settings.rerank && settings.rerankBy === 'model' ? await rerankByModel(job, asking, first, wanted) : first
  noteSearch(job, searched)
  // a shadow repeats the question's own search, not those of its other wordings
  if (settings.shadow) job.found.searched = { query, response: first === alone ? searched : alone }
  const found = await withAttachments(job, deps, searched, wanted)

  const refusal = wordsIn(job.persona.refusal, job.tongue)
  if (found.passages.length === 0 || !(mayAsk ? isForModel(found) : isWorthReading(found))) {
    const shown: Shown[] = []
    const tools = toolset({ shown, isAnswered: false, withSearch: true })
    const rules = [...toolRules.only, ...(refusal === undefined ? [] : [`If they do not hold the answer, say: ${refusal}`])]
    if (tools && (await answerByModel(job, deps, prompt([], rules), shown, { tools }))) return
    return answerNotFound(job, deps, found)
  }
  const best = (mayAsk && (await wholeDocument(job, deps, found))) || chooseSources(found.passages, settings.topK)
  const isCacheable = settings.cacheAnswers && deps.providers.length > 0 && history.length === 0 && facts.length === 0 && !usesTools
  const cached = isCacheable ? await findCached(job, deps, best) : undefined
  if (cached?.text) {
    answerFromCache(job, deps, best, cached.text)
    return trustCitations(job)
  }
  if (!mayAsk) {
    if (isForModel(found)) noteBudget(job)
    return answerByQuoting(job, deps, found, wanted)
  }
  // with tools more sources may come: they are told before the first word
  const shown = usesTools ? numbered(best) : showSources(job, deps, best, 'on')
  const tools = toolset({ shown, isAnswered: true, withSearch: true })
  const said = await answerByModel(job, deps, prompt(best, tools ? toolRules.beside : []), shown, { cacheKey: cached?.hash, tools })
  tools?.tell()
  if (said) trustCitations(job)
  else await answerByQuoting(job, deps, found, wanted, shown)
}

/** Without documents there is nothing else to answer from. */
function nobodyAnswers({ found }: Job): AppError {
  const why = 'search in the documents is switched off'
  return (found.record.modelError as { code?: string } | undefined)?.code === 'rate_limited'
    ? new AppError('rate_limited', `The models are asked as much as their limits allow, and ${why}; try again in a minute.`)
    : new AppError('upstream_failed', `No model answers, and ${why}.`)
}

/** In doubt the model decides: what it could cite was there, and what it says not to be there was not. */
function trustCitations({ found }: Job): void {
  if (!found.record.isRefused && found.citations.some(({ verified }) => verified)) found.answerable = true
}

/** That no model was asked for want of a budget, where one would have been. */
function noteBudget(job: Job): void {
  if (!job.overBudget) return
  degrade(job, 'budget')
  job.found.record.overBudget = job.overBudget.message
}

/** No sources and no gap of the documents: the model under its persona, or its greeting, or a fixed sentence. */
async function answerSmallTalk(
  job: Job,
  deps: AnswerDeps,
  messages: readonly ChatMessage[],
  kind: SmallTalk,
  greeting: string | undefined,
): Promise<void> {
  job.found.record.smallTalk = kind
  showSources(job, deps, [], 'on')
  if (deps.providers.length > 0 && (await answerByModel(job, deps, messages, []))) return
  noteBudget(job)
  job.stream.delta(greeting ?? replyTo(kind, job.tongue), 'over')
}
