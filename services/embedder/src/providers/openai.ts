import { createOpenAiEmbedder } from '@docent/models/openai/openai-embedder'
import { modelId, type RemoteConfig } from '../config.ts'
import type { EmbedderEvents } from '../events.ts'
import type { Provider } from '../provider.ts'
import { createRemote } from './remote.ts'

/** Any OpenAI-compatible embedding server. */
export function openAiProvider({ baseUrl, ...config }: RemoteConfig & { baseUrl: string }, events: EmbedderEvents): Provider {
  return createRemote((hears) => createOpenAiEmbedder({ ...config, baseUrl, ...hears }), modelId(config.model, config.dimensions), events)
}
