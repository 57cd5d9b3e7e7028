import { AppError } from '@docent/core/errors'

/** The port to whatever turns texts into vectors. Vectors are L2-normalised; similarity is their dot product. */
export type Embedder = {
  /** name of the model and its dimension; the name enters the generation */
  info(signal?: AbortSignal): Promise<{ model: string; dimension: number }>
  /** a question; goes before passages */
  query(text: string, signal: AbortSignal): Promise<Float32Array>
  /** indexed texts, in order; wrong shapes and NaN are refused as `embedding_failed`; `used` is told the tokens of each request, where they are known */
  passages(texts: readonly string[], signal: AbortSignal, used?: (tokens: number) => void): Promise<Float32Array[]>
}

/** A model that may be named. Without a dimension it does not answer now, and `problem` says why. */
export type OfferedModel = {
  model: string
  dimension?: number | undefined
  problem?: string | undefined
  /** of a million tokens */
  price?: { amount: number; currency: string } | undefined
}

/** The models behind one door, as its configuration names them: first the one to begin with, then its candidate. */
export type EmbeddingModels = {
  /** throws when the door does not answer; a model behind it that does not is listed with its problem */
  list(signal: AbortSignal): Promise<OfferedModel[]>
  of(model: string): Embedder
}

/** A door with one model behind it. */
export function onlyModel(embedder: Embedder): EmbeddingModels {
  return {
    list: async (signal) => [await embedder.info(signal)],
    of: () => embedder,
  }
}

/** Several embedders as one door. */
export function modelsOf(embedders: readonly { model: string; embedder: Embedder }[]): EmbeddingModels {
  return {
    list: (signal) =>
      Promise.all(
        embedders.map(({ model, embedder }) =>
          embedder.info(signal).then(
            ({ dimension }): OfferedModel => ({ model, dimension }),
            (error: Error) => ({ model, problem: error.message }),
          ),
        ),
      ),
    of(model) {
      const found = embedders.find((one) => one.model === model)
      if (!found) throw new AppError('not_found', `The model "${model}" is not served here.`)
      return found.embedder
    },
  }
}
