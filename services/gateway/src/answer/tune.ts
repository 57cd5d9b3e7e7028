import { AppError } from '@docent/core/errors'
import type { SearchRequest } from '@docent/core/passage'
import type { Principal } from '@docent/core/principal'
import type { z } from 'zod'
import type { Persona, Words } from '../store/personas.ts'
import { named, type Settings } from '../store/settings.ts'
import { type Reservation, today } from '../store/usage.ts'
import { MAX_CALLS } from './generate-with-tools.ts'
import type { Price, Provider } from './providers.ts'
import { RERANK_TOP } from './rerank-by-model.ts'
import { greatestCost, type StepDeps } from './steps.ts'

// what a prompt holds beside settings: persona, rules, up to topK sections of 2,000 characters
const PROMPT_TOKENS = 700
const SECTION_TOKENS = 1_700
const TOOLS_TOKENS = 800 // their descriptions and rules
const RESULT_TOKENS = 2 * SECTION_TOKENS + 200
// characters of persona and rules to a token, on the high side
const CHARS_PER_TOKEN = 1.25

/** The most one answer may use: what is reserved before it begins. No model, no tokens. */
export function greatestUse(settings: Settings, persona: Persona, models: number): { inputTokens: number; outputTokens: number } {
  if (models === 0) return { inputTokens: 0, outputTokens: 0 }
  // one of the two is in a prompt, never both
  const words = Math.max(longest(persona.greeting), longest(persona.refusal))
  const rules = Math.ceil((persona.prompt.length + settings.prompt.length + (persona.tone?.length ?? 0) + words) / CHARS_PER_TOKEN)
  return { inputTokens: PROMPT_TOKENS + rules + SECTION_TOKENS * settings.topK + settings.historyTokens, outputTokens: settings.maxTokens }
}

function longest(words: Words | null): number {
  if (words === null || typeof words === 'string') return words?.length ?? 0
  return Math.max(words.zh.length, words.en.length)
}

/** Each call may be a round of its own, whose prompt holds the calls and results before it. */
function withRounds({ inputTokens, outputTokens }: { inputTokens: number; outputTokens: number }) {
  const rounds = MAX_CALLS + 1
  const before = (MAX_CALLS * rounds) / 2
  return {
    inputTokens: rounds * (inputTokens + TOOLS_TOKENS) + before * (RESULT_TOKENS + outputTokens),
    outputTokens: rounds * outputTokens,
  }
}

/** Tokens and money of that, at the dearest provider, for the day it is asked on. */
export function reservationOf(
  ask: { settings: Settings; persona: Persona; principal: string; memoryTokens?: number; tools?: boolean },
  providers: readonly Pick<Provider, 'name' | 'price'>[],
): Reservation {
  const one = greatestUse(ask.settings, ask.persona, providers.length)
  const use = ask.tools && providers.length > 0 ? withRounds(one) : one
  if (providers.length > 0) use.inputTokens += ask.memoryTokens ?? 0
  const prices = providers.map((provider) => priceOf(provider, ask.settings))
  return { day: today(), tokens: use.inputTokens + use.outputTokens, money: greatestCost(use, prices), principal: ask.principal }
}

/** What a provider's tokens cost now: the owner's price goes before the configured one. */
export function priceOf({ name, price }: Pick<Provider, 'name' | 'price'>, { prices }: Pick<Settings, 'prices'>): Price | undefined {
  return prices[name] ?? price
}

/** The currencies of all providers' prices. */
export function currenciesOf(providers: readonly Pick<Provider, 'name' | 'price'>[], settings: Pick<Settings, 'prices'>): string[] {
  return [...new Set(providers.flatMap((provider) => priceOf(provider, settings)?.currency ?? []))]
}

/** The settings of all, changed by the persona's own. */
export function settingsOf(persona: Pick<Persona, 'settings'>, settings: Settings): Settings {
  return { ...settings, ...named(persona.settings) }
}

/**
 * Who asks, as far as this persona answers from. Errors: forbidden, when he may read none of it.
 */
export function within<P extends Principal>(principal: P, { id, collections }: Pick<Persona, 'id' | 'collections'>): P {
  if (!collections) return principal
  const both = principal.collections ? collections.filter((name) => principal.collections!.includes(name)) : collections
  if (both.length === 0) throw new AppError('forbidden', `The persona "${id}" answers from collections that this key may not read.`)
  return { ...principal, collections: both }
}

/** The persona's tone and the owner's rules stand under its prompt. */
export function withRules(persona: Persona, settings: Settings): Persona {
  const tone = persona.tone === null ? '' : `\nTone: ${persona.tone}`
  const rules = settings.prompt === '' ? '' : `\n${settings.prompt}`
  return { ...persona, prompt: `${persona.prompt}${tone}${rules}` }
}

/** The steps' neighbours as the settings want them: the chosen provider first, search with their weights, thresholds and reranking. */
export function tuned<D extends StepDeps>(deps: D, settings: Settings): D {
  const providers = deps.providers
    .map((provider) => ({ ...provider, price: priceOf(provider, settings) }))
    .sort((a, b) => Number(b.name === settings.model) - Number(a.name === settings.model))
  const wishes = searchWishes(settings)
  if (Object.keys(wishes).length === 0) return { ...deps, providers }
  const { retrieval } = deps
  const search: typeof retrieval.search = (request, ...rest) => retrieval.search({ ...request, ...wishes }, ...rest)
  return { ...deps, providers, retrieval: { ...retrieval, search } }
}

/** What the settings change about a search; nothing when they are the defaults. */
export function searchWishes(settings: Settings): Pick<z.input<typeof SearchRequest>, 'rerank' | 'limit' | 'tuning'> {
  const { gate, rerank, rerankBy, retrieval, searchLimit } = settings
  const tuning = gate === 1 ? retrieval : { ...retrieval, gate: { ...retrieval.gate, factor: gate } }
  const first = !rerank ? {} : rerankBy === 'model' ? { limit: Math.max(RERANK_TOP, searchLimit) } : { rerank }
  return { ...first, ...(Object.keys(tuning).length > 0 ? { tuning } : {}) }
}
