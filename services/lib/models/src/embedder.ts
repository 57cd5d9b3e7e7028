/** The port to whatever turns texts into vectors. Vectors are L2-normalised; similarity is their dot product. */
export type Embedder = {
  /** name of the model and its dimension; the name enters the generation */
  info(signal?: AbortSignal): Promise<{ model: string; dimension: number }>
  /** a question; goes before passages */
  query(text: string, signal: AbortSignal): Promise<Float32Array>
  /** indexed texts, in order; wrong shapes and NaN are refused as `embedding_failed` */
  passages(texts: readonly string[], signal: AbortSignal): Promise<Float32Array[]>
}
