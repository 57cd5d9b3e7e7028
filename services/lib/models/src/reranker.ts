/** The port to whatever orders passages by how well they answer a question. */
export type Reranker = {
  model: string
  /** one score per text, in the order of the texts; higher is better */
  rerank(query: string, texts: readonly string[], signal: AbortSignal): Promise<number[]>
}
