import { getJson } from './api.js'
import { langOf, t } from './i18n.js'
import { element, renderMarkdown } from './markdown.js'
import { act, box } from './owner-parts.js'
import { approval, goldenForm, replayPart } from './record-acts.js'
import { costText, factsLine, msText } from './records.js'

/** One question with all that is known of its answer, and what an owner does about it. */
export async function showRecord(answerId, leave) {
  const row = await getJson(`/api/v1/records/${encodeURIComponent(answerId)}`)
  const { record } = row
  const title = box('h3', 'asked', row.question)
  title.tabIndex = -1
  title.lang = langOf(row.question)
  const answer = box(
    'div',
    'answer',
    renderMarkdown(row.text, () => undefined),
  )
  answer.lang = langOf(row.text)
  const missing = (record.degraded ?? []).map((step) => box('p', 'note is-warning', t('warnings')[step] ?? step))
  const failure = record.code ? box('p', 'note is-error', t('problems')[record.code] ?? record.code) : undefined
  return box(
    'article',
    'record',
    act(`‹ ${t('back')}`, leave, { className: 'quiet back' }),
    title,
    factsLine(row),
    row.text ? answer : box('p', 'note', t('noText')),
    failure,
    ...missing,
    sourcesPart(record),
    candidatesPart(record),
    replayPart(row),
    approval(row),
    goldenForm(row),
    factsPart(row),
    timingsPart(record.timings),
  )
}

function part(words, ...children) {
  return box('section', 'part', element('h4', words), ...children)
}

const scoresText = ({ lexical, dense, fused } = {}) =>
  [
    ['byWords', lexical],
    ['byMeaning', dense],
    ['together', fused],
  ]
    .filter(([, score]) => score !== undefined)
    .map(([name, score]) => `${t(name)} ${score.toFixed(2)}`)
    .join(' · ')

function sourcesPart({ sources = [], citations = [] }) {
  if (sources.length === 0) return part(t('sources'), box('p', 'note', t('noSources')))
  const quoted = new Set(citations.map(({ source }) => source))
  const lines = sources.map(({ n, path, scores, score }) =>
    box(
      'li',
      '',
      box('span', 'marker', String(n)),
      box('span', 'path', path),
      box(
        'p',
        'facts',
        box('span', '', scoresText(scores ?? { fused: score })),
        quoted.has(n) ? box('span', 'badge', t('cited')) : undefined,
      ),
    ),
  )
  return part(t('sources'), box('ul', 'lines', ...lines))
}

/** Why a passage was kept or dropped, in plain words; what is not known stays as the server says it. */
function whyText(why) {
  const [, n] = /(\d+)/.exec(why) ?? []
  const kind = ['kept', 'below', 'already', 'says'].find((word) => why.startsWith(word))
  return kind ? t('passageWhy')[kind].replace('{n}', () => n ?? '') : why
}

function candidatesPart({ retrieval }) {
  const { candidates = [], gate } = retrieval ?? {}
  if (candidates.length === 0) return undefined
  const kept = candidates.filter((one) => one.kept).length
  const lines = candidates.map(({ path, scores, why, kept }) =>
    box('li', kept ? '' : 'is-dropped', box('span', 'path', path), box('p', 'facts', whyText(why), box('span', '', scoresText(scores)))),
  )
  const judged =
    gate && box('p', 'note', `${t(gate.answerable ? 'gateOpen' : 'gateShut')} ${gate.score.toFixed(2)} / ${gate.threshold.toFixed(2)}`)
  const more = box('details', 'more', element('summary', t('lookedAt', `${kept} / ${candidates.length}`)), box('ul', 'lines', ...lines))
  return box('section', 'part', judged, more)
}

function factsPart({ record, settingsVersion, principal }) {
  const { usage, cache, persona, personaVersion, provider, model } = record
  const cost = costText(usage)
  const facts = [
    [t('settingsVersion'), settingsVersion],
    [t('persona'), persona && `${persona}${personaVersion ? ` (${personaVersion})` : ''}`],
    [t('provider'), [provider, t('writtenBy')[model] ?? model].filter(Boolean).join(' · ')],
    [
      t('tokens'),
      usage &&
        t('tokensText')
          .replace('{in}', () => usage.inputTokens)
          .replace('{out}', () => usage.outputTokens),
    ],
    [t('cost'), cost],
    [t('cache'), t('cacheStates')[cache] ?? cache],
    [t('askedBy'), principal],
  ].filter(([, value]) => value !== undefined && value !== '')
  return part(t('howMade'), box('dl', 'known', ...facts.flatMap(([name, value]) => [element('dt', name), element('dd', String(value))])))
}

/** Stages as bars, each as a share of the whole. */
function timingsPart(timings = {}) {
  const { totalMs, ...stages } = timings
  const known = Object.entries(stages).filter(([, ms]) => typeof ms === 'number' && ms > 0)
  if (!totalMs || known.length === 0) return undefined
  const lines = [...known, ['totalMs', totalMs]].map(([name, ms]) => {
    const bar = box('span', 'bar')
    bar.style.width = `${Math.min(100, Math.max(1, (ms / totalMs) * 100))}%`
    return box('li', 'stage', box('span', '', t('stages')[name] ?? name), box('span', 'track', bar), box('span', 'ms', msText(ms)))
  })
  return part(t('timings'), box('ul', 'stages', ...lines))
}
