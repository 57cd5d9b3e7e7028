import { createHfEmbedder } from '@docent/models/hf/hf-embedder'
import { modelId, type RemoteConfig } from '../config.ts'
import type { EmbedderEvents } from '../events.ts'
import type { Provider } from '../provider.ts'
import { createRemote } from './remote.ts'

/** Hugging Face, an Inference Endpoint or a text-embeddings-inference server. */
export function hfProvider({ baseUrl, ...config }: RemoteConfig, events: EmbedderEvents): Provider {
  return createRemote(
    (hears) => createHfEmbedder({ ...config, endpointUrl: baseUrl, ...hears }),
    modelId(config.model, config.dimensions),
    events,
  )
}
