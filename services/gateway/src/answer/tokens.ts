/** A rough count, on the high side: a Han character is about 0.7 tokens, other text about one per 3.5 characters. */
export function estimateTokens(text: string): number {
  const han = text.match(/[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}]/gu)?.length ?? 0
  return Math.ceil(han * 0.8 + (text.length - han) / 3.5)
}
