import type { SearchResponse } from '@docent/core/passage'
import type { Persona } from '../store/personas.ts'
import type { Settings } from '../store/settings.ts'
import { type Reservation, today } from '../store/usage.ts'
import type { Provider } from './providers.ts'
import { costOf, type StepDeps } from './steps.ts'

// what a prompt holds beside settings: persona, rules, up to topK sections of 2,000 characters
const PROMPT_TOKENS = 700
const SECTION_TOKENS = 1_700
// characters of persona and rules to a token, on the high side
const CHARS_PER_TOKEN = 1.25

/** The most one answer may use: what is reserved before it begins. No model, no tokens. */
export function greatestUse(settings: Settings, persona: Persona, models: number): { inputTokens: number; outputTokens: number } {
  if (models === 0) return { inputTokens: 0, outputTokens: 0 }
  const rules = Math.ceil((persona.prompt.length + settings.prompt.length) / CHARS_PER_TOKEN)
  return { inputTokens: PROMPT_TOKENS + rules + SECTION_TOKENS * settings.topK + settings.historyTokens, outputTokens: settings.maxTokens }
}

/** Tokens and money of that, at the dearest provider, for the day it is asked on. */
export function reservationOf(
  ask: { settings: Settings; persona: Persona; principal: string },
  providers: readonly Pick<Provider, 'price'>[],
): Reservation {
  const use = greatestUse(ask.settings, ask.persona, providers.length)
  const money = Math.max(0, ...providers.map(({ price }) => costOf(use, price).cost ?? 0))
  return { day: today(), tokens: use.inputTokens + use.outputTokens, money, principal: ask.principal }
}

/** The owner's rules stand under the persona's own. */
export function withRules(persona: Persona, settings: Settings): Persona {
  return settings.prompt === '' ? persona : { ...persona, prompt: `${persona.prompt}\n${settings.prompt}` }
}

/** The steps' neighbours as the settings want them: the chosen provider first, the gate where the owner put it. */
export function tuned<D extends StepDeps>(deps: D, settings: Settings): D {
  const first = deps.providers.filter(({ name }) => name === settings.model)
  const providers = first.length > 0 ? [...first, ...deps.providers.filter(({ name }) => name !== settings.model)] : deps.providers
  if (settings.gate === 1) return { ...deps, providers }
  const { retrieval } = deps
  return {
    ...deps,
    providers,
    retrieval: {
      ...retrieval,
      search: async (...call: Parameters<typeof retrieval.search>) => regated(await retrieval.search(...call), settings.gate),
    },
  }
}

/** The verdict against retrieval's threshold times `factor`; what was said without a threshold stays. */
export function regated(found: SearchResponse, factor: number): SearchResponse {
  const { score, threshold } = found.gate
  if (threshold <= 0) return found
  const answerable = score >= threshold * factor && found.passages.length > 0
  const gate = {
    ...found.gate,
    threshold: threshold * factor,
    answerable,
    reason: `${found.gate.reason}; threshold × ${factor} by the settings`,
  }
  return { ...found, answerable, gate }
}
