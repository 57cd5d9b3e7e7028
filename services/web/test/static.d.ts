// The page's files are plain JavaScript; these are the functions the tests call.
declare module '*/static/markdown.js' {
  export function renderMarkdown(text: string, marker: (n: number, at: number) => Node | undefined): DocumentFragment
}
declare module '*/static/stream.js' {
  export function ask(
    question: string,
    conversationId: string | undefined,
    onEvent: (name: string, data: { text?: string; state?: string }) => void,
    onCut: () => void,
  ): Promise<void>
}
