import { fold } from '@docent/core/text/fold'

// words that make a question polite, not another one
const politeHan = /请问一下|请问|请告诉我|我想知道|我想问一下|我想问|麻烦|一下|吗|呢|啊|呀|吧/g
const politeLatin = new Set(['please', 'kindly', 'the', 'a', 'an'])
const piece = /\p{Script=Han}|[[\p{L}\p{N}]--\p{Script=Han}]+(?:[.'_\-][[\p{L}\p{N}]--\p{Script=Han}]+)*|[+#%<>=\-]/gv

/**
 * The key form of a question. Two questions of the same form are taken for the same one: case, width, script, punctuation,
 * politeness and a plural s may differ; no other word, no number, no order and no “not” may.
 */
export function normalQuestion(question: string): string {
  const folded = fold(question).replace(politeHan, ' ')
  const pieces = folded.match(piece) ?? []
  return pieces
    .filter((word) => !politeLatin.has(word))
    .map((word) => (/^[a-z]{3,}s$/.test(word) && !/(ss|us|is)$/.test(word) ? word.slice(0, -1) : word))
    .join(' ')
}
