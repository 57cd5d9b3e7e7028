import type { Passage } from '@docent/core/passage'
import { promptText } from './table-lines.ts'
import { estimateTokens } from './tokens.ts'

// so many for each of topK: what a paragraph or a short table takes, a fifth of the longest section
const TOKENS_EACH = 300
// of the best score; what lies further down answers one question in a hundred
const NEAR = 0.3

/**
 * What is shown and put before a model: the first `topK` passages, and after them those not far behind as long as all are short. Those that
 * hold nothing but the names of their document and section are left out, unless there is nothing else.
 */
export function chooseSources(passages: readonly Passage[], topK: number): Passage[] {
  const telling = passages.filter((passage) => !isNameOnly(passage))
  const least = NEAR * Math.max(...passages.map(({ score }) => score))
  let left = topK * TOKENS_EACH
  return (telling.length > 0 ? telling : [...passages]).filter((passage, i) => {
    left -= estimateTokens(promptText(passage))
    return i < topK || (left >= 0 && passage.score >= least)
  })
}

function isNameOnly({ title, heading, parent, text }: Passage): boolean {
  if (parent.text.length > 400) return false
  const names = new Set([title, ...(heading ?? '').split(' › '), ''])
  return (parent.text || text).split('\n').every((line) => names.has(line.replace(/^#+\s*/, '').trim()))
}
