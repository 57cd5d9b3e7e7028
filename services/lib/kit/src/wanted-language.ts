import type { Request } from 'express'

export type WantedLanguage = 'zh' | 'zh-Hant' | 'en'

/** The first of the languages the caller's program asks for (Accept-Language) that Docent speaks; undefined where it names none. */
export function wantedLanguage(req: Pick<Request, 'get'>): WantedLanguage | undefined {
  const ranked = (req.get('accept-language') ?? '')
    .slice(0, 200)
    .split(',')
    .map((entry) =>
      entry
        .trim()
        .toLowerCase()
        .split(/\s*;\s*q=/),
    )
    .map(([tag = '', quality = '1']) => ({ tag, quality: Number(quality) || 0 }))
    .filter(({ tag, quality }) => quality > 0 && /^(?:zh|en)(?:-|$)/.test(tag))
    .toSorted((a, b) => b.quality - a.quality)
  const tag = ranked[0]?.tag
  if (tag === undefined) return undefined
  if (tag.startsWith('en')) return 'en'
  return /^zh-(?:hant|tw|hk|mo)/.test(tag) ? 'zh-Hant' : 'zh'
}
