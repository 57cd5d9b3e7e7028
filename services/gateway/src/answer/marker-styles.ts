const word = '(?:来源|來源|资料|資料|出处|出處|参考|參考|文献|(?:data )?sources?|ref(?:erence)?s?|citations?|docs?|documents?)'
const source = '(?:来源|來源|资料|資料|出处|出處|(?:data )?sources?)'
const joint = String.raw`(?:\s*(?:[,，、;；&和与與及]|and|-|–|~)\s*|\s*)`
const number = String.raw`[[【]?\d{1,2}(?!\d)[\]】]?`
const numbers = String.raw`${number}(?:${joint}(?:${word}\s*)?${number})*`
// [^1], [来源1], [Source 1], [[1]], 【1†source】, [1-3], ［1］, （来源：1、3）; [1], [1, 2] and 【1】 are read as they are
const styles = new RegExp(
  [
    String.raw`\[\^(?<note>\d{1,2})\]:?`,
    String.raw`[[【［]\s*${source}\s*[:：#]?\s*(?<named>${numbers})\s*[\]】］]`,
    String.raw`[[【［]\s*${word}\s*[:：#]?\s*(?<worded>${numbers})\s*[\]】］]`,
    String.raw`\[\[(?<twice>\d{1,2})\]\]`,
    String.raw`[[【［](?<dagger>\d{1,2})†[^\]】］\n]{0,24}[\]】］]`,
    String.raw`[[【](?<range>\d{1,2}\s*[-–~]\s*\d{1,2})[\]】]`,
    String.raw`［(?<wide>\d{1,2})］`,
    String.raw`[(（]\s*(?:see |见|詳見|详见)?${word}\s*[:：#]?\s*(?<round>${numbers})\s*[)）]`,
    String.raw`(?<=(?:根据|根據|依据|依據|according to|as per)\s{0,2})(?:来源|來源|资料|資料|sources?)\s?#?(?<before>\d{1,2})(?![\d.])`,
  ].join('|'),
  'giu',
)
// from where on the end of a text may be the beginning of one of these
const beginning =
  /(?:[[【［][^\]】］\n]{0,32}|\[\[?\d{1,2}\]?|\[\^\d{1,2}\]|[(（][^)）\n]{0,32}|(?:根据|根據|依据|依據|according to|as per)\s{0,2}(?:[来來资資](?:[源料]\s?\d{0,2})?|s[a-z]{0,6}\s?#?\d{0,2})?|[根依]|\ba(?:c[a-z]{0,7}|s)?(?: [a-z]{0,3})?)$/iu
const mayBegin = /[[【［(（根依a]/iu

// forms that a text may hold for another reason, such as [0-9] or (document 3): only where each number is one of a source
const ambiguous = ['worded', 'twice', 'range', 'wide', 'round', 'before']

/**
 * A model's text piece by piece, with each of the ways in which models name a source as [1]; code stays as it is. `push` gives what is clear
 * by now, `end` the rest. `before`: what of the text was given already.
 */
export function createPlainMarkers(isSource: (n: number) => boolean, before: () => string): { push(text: string): string; end(): string } {
  let held = ''

  function plain(text: string): string {
    return text.replace(styles, (whole, ...rest) => {
      const groups = rest.at(-1) as Record<string, string | undefined>
      const [form, said] = Object.entries(groups).find(([, found]) => found !== undefined) as [string, string]
      const named = said.match(/\d+/g)!.map(Number)
      const isRange = form === 'range' && named[1]! > named[0]!
      const all = isRange ? Array.from({ length: named[1]! - named[0]! + 1 }, (_, i) => named[0]! + i) : named
      const isMeant = form === 'range' && !isRange ? false : !ambiguous.includes(form) || all.every(isSource)
      const at = rest.at(-3) as number
      return isMeant && !isInCode(before() + text.slice(0, at)) ? all.map((n) => `[${n}]`).join('') : whole
    })
  }

  return {
    push(text) {
      if (held === '' && !mayBegin.test(text)) return text
      held += text
      const at = beginning.exec(held)?.index ?? held.length
      const clear = plain(held.slice(0, at))
      held = held.slice(at)
      return clear
    },
    end() {
      const rest = plain(held)
      held = ''
      return rest
    },
  }
}

function isInCode(text: string): boolean {
  const fences = text.match(/^[ \t]*(?:```|~~~)/gm)?.length ?? 0
  const line = text.slice(text.lastIndexOf('\n') + 1)
  return fences % 2 === 1 || (line.match(/`/g)?.length ?? 0) % 2 === 1
}
