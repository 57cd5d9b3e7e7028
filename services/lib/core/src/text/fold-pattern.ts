import { fold } from './fold.ts'
import { t2sPairs } from './t2s.ts'

const traditional = new Map<string, string>()
for (let i = 0; i < t2sPairs.length; i += 2) {
  const to = t2sPairs[i + 1]!
  traditional.set(to, (traditional.get(to) ?? '') + t2sPairs[i])
}

/** A regular expression of Postgres that finds `text` in either Chinese script; case and width are the asker's to fold (`normalize`, `~*`). */
export function foldPattern(text: string): string {
  return Array.from(fold(text), (char) => {
    const others = traditional.get(char)
    if (others) return `[${char}${others}]`
    return /[\p{L}\p{N}\s]/u.test(char) ? char : `\\${char}`
  }).join('')
}
