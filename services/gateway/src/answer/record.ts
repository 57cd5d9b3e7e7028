import type { Job } from './job.ts'

/** The flight record of one answer: which configuration gave which sources and text, how long it took, what it cost. */
export function flightRecord(job: Job, end: { state: string; code?: string }): Record<string, unknown> {
  const { found, stream, persona } = job
  return {
    // off: nothing was looked up, because the settings, a history or the lack of a model say so
    cache: 'off',
    ...found.record,
    state: end.state,
    ...(end.code ? { code: end.code } : {}),
    model: found.model,
    persona: persona.id,
    personaVersion: persona.version,
    settings: job.settings.settings,
    answerable: found.answerable,
    ...(job.emotion ? { emotion: job.emotion } : {}),
    degraded: found.degraded,
    citations: found.citations,
    timings: {
      ...found.timings,
      ...(stream.firstTextAt === undefined ? {} : { ttftMs: Math.round(stream.firstTextAt - job.startedAt) }),
      totalMs: Math.round(performance.now() - job.startedAt),
    },
    usage: found.usage,
    ...(job.rerank === undefined ? {} : { asked: { rerank: job.rerank } }),
    ...(job.filters ? { filters: job.filters } : {}),
    ...(job.principal.collections ? { collections: job.principal.collections } : {}),
    // nobody's groups are not the same as the admin's, who needs none
    ...(job.principal.kind === 'admin' ? {} : { groups: job.principal.groups ?? [] }),
    ...(job.turns ? { turns: job.turns.slice(-KEPT_TURNS).map(({ role, text }) => ({ role, text: text.slice(0, KEPT_CHARS) })) } : {}),
  }
}

// turns a caller sent along are kept nowhere else, and a replay needs them
const KEPT_TURNS = 10
const KEPT_CHARS = 4_000
