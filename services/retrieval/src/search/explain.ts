import type { SearchResponse } from '@docent/core/passage'
import type { HeldChunk } from '../index/chunk-index.ts'
import type { Choice } from './diversify.ts'
import type { Fused } from './fuse.ts'
import type { GateVerdict } from './gate.ts'
import type { Plan } from './plan-query.ts'

type Explained = NonNullable<SearchResponse['explain']>
export type Candidates = readonly Choice<Fused<HeldChunk>>[]

const EXPLAINED = 50
const TERMS = 200

/** What was read in the question, and what the legs said of it. */
export function describePlan(plan: Plan, found: Record<string, number | string>): Explained['plan'] {
  const { language, script, followUp, idfTotal, known } = plan
  const terms = plan.terms
    .slice(0, TERMS)
    .map(({ term, weight, content, idf }) => ({ term, weight, content, idf: Math.round(idf * 100) / 100 }))
  return { language, script, followUp, idfTotal, known, ...found, terms }
}

/** Each candidate with its place at each stage and what became of it. */
export function describeCandidates(choices: Candidates): Explained['candidates'] {
  let final = 0
  return choices.slice(0, EXPLAINED).map(({ entry, kept, why }) => ({
    chunkId: entry.chunk.id,
    documentId: entry.chunk.document.documentId,
    path: entry.chunk.document.path,
    scores: entry.scores,
    ...(entry.hints ? { hints: entry.hints } : {}),
    ranks: { ...entry.ranks, ...(kept ? { final: ++final } : {}) },
    kept,
    why,
  }))
}

type Facts = { plan: Plan; weight: number; choices: Candidates; gate: GateVerdict; degraded: readonly string[]; reranked: boolean }

/** The search in two or three sentences, in the question's language. */
export function sayWhy({ plan, weight, choices, gate, degraded, reranked }: Facts): string {
  const kept = choices.filter((choice) => choice.kept).length
  const byWords = choices.filter(({ entry }) => entry.ranks.lexical !== undefined).length
  const byMeaning = choices.filter(({ entry }) => entry.ranks.dense !== undefined).length
  const raised = choices.filter(({ entry }) => entry.hints).length
  const percent = (value: number) => Math.round(100 * value)
  const [words, meaning] = [percent(1 - (byMeaning ? weight : 0)), percent(byMeaning ? weight : 0)]
  const score = `${gate.score} ${gate.answerable ? '≥' : '<'} ${gate.threshold}`
  if (plan.language === 'zh') {
    return [
      `问题中有 ${percent(plan.known)}% 的词（按稀有程度计）出现在文档中，所以词语占 ${words}%，语义占 ${meaning}%。`,
      `候选 ${choices.length} 段（按词语 ${byWords}，按语义 ${byMeaning}），保留 ${kept} 段${reranked ? '，前几段经过重排' : ''}。`,
      raised > 0 ? `问题提到了名称或年份、版本，因此有 ${raised} 段略微靠前。` : '',
      `${gate.answerable ? '判断为可以回答' : '判断为文档中没有答案'}（${score}）。`,
      degraded.length > 0 ? `缺少的步骤：${degraded.join('、')}。` : '',
    ].join('')
  }
  return [
    `${percent(plan.known)} % of the question's words, by how rare they are, occur in the documents, so words count ${words} % and meaning ${meaning} %.`,
    `Of ${choices.length} candidates (${byWords} by words, ${byMeaning} by meaning) ${kept} stay${reranked ? '; the first of them were reranked' : ''}.`,
    ...(raised > 0 ? [`${raised} stand a little higher: the question names their document, or a year or version of it.`] : []),
    `Judged ${gate.answerable ? 'answerable' : 'not answerable from the documents'} (${score}).`,
    ...(degraded.length > 0 ? [`Done without: ${degraded.join(', ')}.`] : []),
  ].join(' ')
}
