import type { Passage } from '@docent/core/passage'
import { fold } from '@docent/core/text/fold'
import { candidatesOf } from './candidates.ts'
import { namesIn } from './named-rows.ts'
import { textOf } from './quote-signs.ts'
import { readQuestion } from './read-question.ts'

/**
 * The passages with the row or sentence first that holds what the question names and the kind of thing it asks for (“How much is the
 * BX-300?”): where many speak of the BX-300, few say its price, and a model reads the first three.
 */
export function answeringFirst(question: string, passages: readonly Passage[]): Passage[] {
  const { ownNames, isKind } = readQuestion({ query: question })
  if (ownNames.length === 0 || !isKind) return [...passages]
  const answers = (passage: Passage) =>
    candidatesOf([passage]).some(
      (candidate) => isKind(fold(candidate.scored)) === true && namesIn(textOf(candidate), ownNames, true).names === 'held',
    )
  const { yes = [], no = [] } = Object.groupBy(passages, (passage) => (answers(passage) ? 'yes' : 'no'))
  return [...yes, ...no]
}
