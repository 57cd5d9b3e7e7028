import { contentWords } from './cite.ts'
import { normalQuestion } from './same-question.ts'

/** Why an answer was weak: nothing found, a thumbs-down, or text none of whose citations held. */
export type Weakness = 'notFound' | 'thumbsDown' | 'unverified'
export type WeakQuestion = { answerId: string; question: string; createdAt: Date; why: Weakness[] }
export type Gap = {
  question: string
  count: number
  why: Record<Weakness, number>
  lastAt: Date
  examples: { answerId: string; question: string; createdAt: Date }[]
}

// shared of the smaller question's words; and so many words at least, or all of them
const ALIKE = 0.6
const EXAMPLES = 5

/** Weak questions about the same, counted together, the most asked first. By words of one language: no model is asked. */
export function clusterGaps(questions: readonly WeakQuestion[]): Gap[] {
  const gaps: { gap: Gap; words: Set<string> }[] = []
  const byWord = new Map<string, number[]>()
  const byForm = new Map<string, number>()
  for (const question of questions) {
    const words = new Set(contentWords(question.question))
    const form = normalQuestion(question.question)
    const at = byForm.get(form) ?? nearest(words, byWord, gaps) ?? gaps.length
    byForm.set(form, at)
    if (at === gaps.length) {
      gaps.push({ gap: emptyGap(question), words })
      for (const word of words) byWord.set(word, [...(byWord.get(word) ?? []), at])
    }
    add(gaps[at]!.gap, question)
  }
  return gaps.map(({ gap }) => gap).sort((a, b) => b.count - a.count || b.lastAt.getTime() - a.lastAt.getTime())
}

function nearest(
  words: ReadonlySet<string>,
  byWord: ReadonlyMap<string, number[]>,
  gaps: readonly { words: Set<string> }[],
): number | undefined {
  const shared = new Map<number, number>()
  for (const word of words) for (const at of byWord.get(word) ?? []) shared.set(at, (shared.get(at) ?? 0) + 1)
  let best: { at: number; share: number } | undefined
  for (const [at, count] of shared) {
    const smaller = Math.min(words.size, gaps[at]!.words.size)
    const share = count / smaller
    if (share >= ALIKE && (count >= 2 || smaller === 1) && share > (best?.share ?? 0)) best = { at, share }
  }
  return best?.at
}

function emptyGap({ question, createdAt }: WeakQuestion): Gap {
  return { question, count: 0, why: { notFound: 0, thumbsDown: 0, unverified: 0 }, lastAt: createdAt, examples: [] }
}

function add(gap: Gap, { why, ...example }: WeakQuestion): void {
  gap.count++
  for (const reason of why) gap.why[reason]++
  if (example.createdAt > gap.lastAt) gap.lastAt = example.createdAt
  if (gap.examples.length < EXAMPLES) gap.examples.push(example)
}
