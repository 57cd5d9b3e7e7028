// The page's files are plain JavaScript; these are the functions the tests call.
declare module '*/static/markdown.js' {
  export function renderMarkdown(text: string, marker: (n: number, at: number) => Node | undefined): DocumentFragment
}
declare module '*/static/stream.js' {
  export function ask(
    question: string,
    conversationId: string | undefined,
    onEvent: (name: string, data: { text?: string; state?: string }) => void,
    options?: { onCut?: () => void; signal?: AbortSignal; key?: string },
  ): Promise<void>
}
declare module '*/static/passage.js' {
  export function findQuote(text: string, quote: string): { start: number; end: number } | undefined
  export function renderPassage(text: string, quotes: string[]): DocumentFragment
}
declare module '*/static/texts.js' {
  type Words = Record<'problems' | 'warnings' | 'reasons', Record<string, string>>
  export const texts: Record<'en' | 'zh', Words>
}
declare module '*/static/owner-texts.js' {
  export const ownerTexts: Record<'en' | 'zh', Record<string, string | Record<string, string>>>
}
