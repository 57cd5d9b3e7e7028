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

type Facts = {
  plan: Plan
  weight: number
  /** the log odds that the answer is in the question's language, where each language has its list */
  odds: number | undefined
  choices: Candidates
  gate: GateVerdict
  degraded: readonly string[]
  reranked: boolean
}

/** The search in a few sentences, in the question's language, for who does not know how it works. */
export function sayWhy(facts: Facts): string {
  const { plan, choices, degraded, odds } = facts
  const count = (holds: (entry: Fused<HeldChunk>) => boolean | undefined) => choices.filter(({ entry }) => holds(entry)).length
  const kept = choices.filter((choice) => choice.kept).length
  const byWords = count(({ ranks }) => ranks.lexical !== undefined)
  const byMeaning = count(({ ranks }) => ranks.dense !== undefined)
  const named = count(({ hints }) => hints?.includes('name'))
  const dated = count(({ hints }) => hints?.includes('date'))
  const holding = count(({ hints }) => hints?.includes('code'))
  const percent = (value: number) => Math.round(100 * value)
  const [words, meaning] = [percent(1 - (byMeaning ? facts.weight : 0)), percent(byMeaning ? facts.weight : 0)]
  const share = percent(plan.known)
  const [own, other] = plan.language === 'zh' ? (['中文', '英文'] as const) : (['English', 'Chinese'] as const)
  const [likelier, less] = (odds ?? 0) >= 0 ? [own, other] : [other, own]
  if (plan.language === 'zh') {
    return [
      `问题中有 ${share}% 的词（按稀有程度计）出现在文档中${plan.code ? '，其中有编号、数字或文件名' : ''}：词语占 ${words}%，语义占 ${meaning}%。`,
      odds === undefined ? '' : `中文和英文的段落各排一列；答案更可能是${likelier}的，所以${less}段落靠后。`,
      `候选 ${choices.length} 段（按词语 ${byWords}，按语义 ${byMeaning}），保留 ${kept} 段${facts.reranked ? '，前几段经过重排' : ''}。`,
      holding > 0 ? `${holding} 段含有问题里少见的编号，因此靠前。` : '',
      named > 0 ? `${named} 段所在文档的名称出现在问题里，因此略微靠前。` : '',
      dated > 0 ? `${dated} 段的文档名或标题带有问题里的年份或版本，因此略微靠前。` : '',
      `找到的段落${gateIn(facts.gate).zh}。从中摘出的句子，或模型写的回答，提问时还会另行判断。`,
      degraded.length > 0 ? `缺少的步骤：${degraded.join('、')}。` : '',
    ].join('')
  }
  return [
    `${share} % of the question's words, by how rare they are, occur in the documents${plan.code ? ', a code, a number or a file name among them' : ''}: words count ${words} % and meaning ${meaning} %.`,
    ...(odds === undefined
      ? []
      : [`English and Chinese passages have a list each; the answer is likelier in ${likelier}, so ${less} ones stand lower.`]),
    `Of ${choices.length} candidates (${byWords} by words, ${byMeaning} by meaning) ${kept} stay${facts.reranked ? '; the first of them were reranked' : ''}.`,
    ...(holding > 0 ? [`${holding} stand higher: they hold what few passages hold, the code or number that the question names.`] : []),
    ...(named > 0 ? [`${named} stand a little higher: the name of their document is in the question.`] : []),
    ...(dated > 0 ? [`${dated} stand a little higher: their document's name or heading has the year or version of the question.`] : []),
    `The passages found ${gateIn(facts.gate).en}. The sentences quoted from them, or what a model writes, are judged again when the question is asked.`,
    ...(degraded.length > 0 ? [`Done without: ${degraded.join(', ')}.`] : []),
  ].join(' ')
}

/** What the gate says of the passages; it has not seen what will be quoted from them. */
function gateIn({ answerable, score, threshold }: GateVerdict): { zh: string; en: string } {
  return answerable
    ? {
        zh: `足以回答这个问题（得分 ${score}，至少要 ${threshold}）`,
        en: `seem enough to answer the question (${score}, where ${threshold} is needed)`,
      }
    : {
        zh: `不足以回答这个问题（得分 ${score}，至少要 ${threshold}）`,
        en: `seem not enough to answer the question (${score}, where ${threshold} is needed)`,
      }
}
