// `npm run mock-model [-- PORT]`: an OpenAI-compatible model that costs and knows nothing, to try streams, stop and budgets with.
// It says the same words to everybody, one each 100 ms, and counts 2,500 tokens for them.
import { openMockUpstream } from '../src/mock-upstream.ts'

const port = Number(process.argv[2] ?? 8091)
const pieces = '这是模拟模型的回答，内容与问题无关。 This is a mock model: it says this to every question [1].'.match(
  /[\p{Script=Han}，。]+|\S+|\s+/gu,
)!
const mock = await openMockUpstream({ port, pieces, pieceMs: 100 })
mock.usage = { prompt_tokens: 2_300, completion_tokens: 200 }
console.log(`LLM_BASE_URL=${mock.url} LLM_MODEL=mock   (Ctrl-C stops)`)
