import { fold } from '@docent/core/text/fold'

const forbids =
  /不得|不能|不可以|不允许|不准|不许|禁止|严禁|无权|不予|(?<![a-z])(?:may not|must not|can ?not|can['’]t|mustn['’]t|not (?:be )?(?:allowed|permitted)|prohibited|forbidden)(?![a-z])/u
const allows =
  /可以|允许|能够|准许|有权|可(?=[\p{Script=Han}]{0,4}(?:远程|退|换|申请|报销|使用|转|带|享))|(?<![a-z])(?:may|can|(?:is|are) (?:allowed|permitted))(?![a-z])/u
const NEAR = 0.7

type Said = 'allows' | 'forbids' | undefined

function saidOf(clause: string): Said {
  return forbids.test(clause) ? 'forbids' : allows.test(clause) ? 'allows' : undefined
}

/** Whether a clause allows what the clause of the source that is nearest to it forbids, or the other way round. `wordsOf` are those that count. */
export function contradicts(said: string, source: string, wordsOf: (text: string) => string[]): boolean {
  const clauses = clausesOf(source).map((clause) => ({ clause: clause.replace(/\s+/g, ''), said: saidOf(clause) }))
  return clausesOf(said).some((clause) => {
    const own = saidOf(clause)
    if (!own) return false
    const words = wordsOf(clause.replace(own === 'forbids' ? forbids : allows, ' '))
    if (words.length < 2) return false
    const near = clauses
      .map((one) => ({ ...one, share: words.filter((word) => one.clause.includes(word)).length / words.length }))
      .filter(({ share }) => share >= NEAR)
    const best = Math.max(...near.map(({ share }) => share))
    const nearest = near.filter(({ share }) => share === best)
    return nearest.length > 0 && nearest.every((one) => one.said !== undefined && one.said !== own)
  })
}

function clausesOf(text: string): string[] {
  return fold(text).split(/[,;:!?，；：。！？\n|]|\.(?=\s|$)/u)
}
