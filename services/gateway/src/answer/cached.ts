import type { Passage } from '@docent/core/passage'
import type { AnswerCache, CachedText } from '../store/answer-cache.ts'
import { chooseSources } from './choose-sources.ts'
import { toneRules } from './emotion.ts'
import { type Asked, degrade, type Job } from './job.ts'
import { today } from './prompt.ts'
import type { StepDeps } from './steps.ts'

/** Looked up while the question was being committed, for the passages that will be shown as a rule. */
export type CachedAhead = { hash: string; passages: readonly Passage[]; text: Promise<CachedText | undefined> }
type Keyed = Pick<Asked, 'question' | 'settings' | 'persona' | 'tongue' | 'emotion'>

export function lookAhead(asked: Keyed, deps: Pick<StepDeps, 'cache' | 'providers'>, passages: readonly Passage[]): CachedAhead {
  const shown = chooseSources(passages, asked.settings.settings.topK)
  const hash = keyOf(asked, deps, shown)
  const text = deps.cache.find(hash)
  text.catch(() => undefined) // heard where it is awaited
  return { hash, passages: shown, text }
}

/** What a model said to the same question over the same passages; `hash` is where the next one is kept. */
export async function findCached(job: Job, deps: StepDeps, passages: readonly Passage[]): Promise<{ hash: string; text?: CachedText }> {
  const early = await job.cachedAhead
  const isSame = early?.passages.length === passages.length && passages.every((passage, i) => passage === early.passages[i])
  const hash = isSame ? early.hash : keyOf(job, deps, passages)
  job.found.record.cacheKey = hash
  try {
    const text = await (early?.hash === hash ? early.text : deps.cache.find(hash))
    deps.events.cacheLooked(text ? 'hit' : 'miss')
    job.found.record.cache = text ? 'hit' : 'miss'
    return { hash, ...(text ? { text } : {}) }
  } catch {
    // a cache that is down costs time only
    deps.events.cacheLooked('down')
    job.found.record.cache = 'down'
    degrade(job, 'cache')
    return { hash }
  }
}

function keyOf(
  { question, settings, persona, tongue, emotion }: Keyed,
  { cache, providers }: { cache: AnswerCache; providers: StepDeps['providers'] },
  passages: readonly Passage[],
): string {
  return cache.keyOf({
    question,
    // the prompt names the day: what was said of it is not said again on another
    persona: [`${persona.id}@${persona.version}`, tongue, today(), ...toneRules(emotion)].join('/'),
    settingsVersion: settings.version,
    models: providers.map(({ model }) => model),
    passages,
  })
}
