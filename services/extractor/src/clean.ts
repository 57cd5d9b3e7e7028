const zeroWidth = new Set([0x200b, 0x2060, 0xfeff, 0x180e, 0x00ad, 0x034f, 0x061c, 0x115f, 0x1160, 0x3164, 0xffa0])
const pictographic = /\p{Extended_Pictographic}|\p{Emoji_Modifier}|\ufe0f/u
const joinedScripts =
  /[\p{Script=Arabic}\p{Script=Devanagari}\p{Script=Bengali}\p{Script=Tamil}\p{Script=Sinhala}\p{Script=Malayalam}\p{Script=Kannada}\p{Script=Telugu}]/u
const suspect =
  /[\0-\x08\x0b-\x1f\x7f-\x9f\u00ad\u061c\u115f\u1160\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\u3164\ufeff\uffa0\ud800-\udfff]|\u034f|[\ufe00-\ufe0f]/

/** Takes out what no reader sees but a model would read (OWASP LLM01), NUL for Postgres, and lone surrogates. */
export function clean(text: string): { text: string; removed: number } {
  if (!suspect.test(text)) return { text, removed: 0 }
  const points = Array.from(text.replace(/\r\n?|[\u2028\u2029\x85]/g, '\n'))
  const kept: string[] = []
  let removed = 0
  for (const [i, char] of points.entries()) {
    const code = char.codePointAt(0)!
    if (code >= 0x20 && code < 0x7f) kept.push(char)
    else if (isKept(code, kept.at(-1), points[i + 1])) kept.push(code === 0x0b || code === 0x0c ? '\n' : char)
    else removed++
  }
  return { text: kept.join(''), removed }
}

function isKept(code: number, before: string | undefined, after: string | undefined): boolean {
  if (code === 0x09 || code === 0x0a || code === 0x0b || code === 0x0c) return true
  if (code < 0x20 || (code >= 0x7f && code < 0xa0)) return false
  if (code >= 0xd800 && code <= 0xdfff) return false
  if (zeroWidth.has(code)) return false
  if (code >= 0xe0000 && code <= 0xe007f) return false
  if ((code >= 0x202a && code <= 0x202e) || (code >= 0x2061 && code <= 0x206f)) return false
  if (code === 0x200c || code === 0x200d) return joins(before, after)
  if (code >= 0xfe00 && code <= 0xfe0f) return selects(before)
  if (code >= 0xe0100 && code <= 0xe01ef) return before !== undefined && /\p{Script=Han}/u.test(before)
  return true
}

/** A joiner is real between emoji and in scripts that shape with it; elsewhere it only hides text. */
function joins(before: string | undefined, after: string | undefined): boolean {
  if (before === undefined || after === undefined) return false
  return (pictographic.test(before) && pictographic.test(after)) || (joinedScripts.test(before) && joinedScripts.test(after))
}

function selects(before: string | undefined): boolean {
  return before !== undefined && /[\p{S}\p{Emoji}\p{Script=Han}]/u.test(before) && !/[\ufe00-\ufe0f]/.test(before)
}
