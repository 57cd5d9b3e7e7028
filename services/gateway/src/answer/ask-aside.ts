import type { ChatMessage } from '@docent/models/chat-model'
import type { Events } from '../events.ts'
import { today, type UsageStore } from '../store/usage.ts'
import { generate } from './generate.ts'
import type { Job } from './job.ts'
import { promptTokens } from './prompt.ts'
import type { Provider } from './providers.ts'
import { costOf, greatestCost } from './steps.ts'
import { estimateTokens } from './tokens.ts'

type Aside = {
  job: Pick<Job, 'answerId' | 'principal'>
  providers: readonly Provider[]
  pool: Parameters<UsageStore['settle']>[0]
  usage: Pick<UsageStore, 'reserve' | 'settle'>
  events: Pick<Events, 'providerAttempted' | 'tokensUsed'>
}

/** A question to the model beside the answer: its tokens are reserved and booked on their own. Errors: those of the budget and of `generate`. */
export async function askAside(
  { job, providers, pool, usage, events }: Aside,
  { messages, maxTokens }: { messages: ChatMessage[]; maxTokens: number },
  signal: AbortSignal,
): Promise<string> {
  const input = promptTokens(messages)
  const greatest = { inputTokens: input, outputTokens: maxTokens }
  const prices = providers.map(({ price }) => price)
  const reservation = { day: today(), tokens: input + maxTokens, money: greatestCost(greatest, prices), principal: job.principal.id }
  await usage.reserve(reservation, job.principal.limits?.tokensPerDay)
  let text = ''
  let used = { requests: 0, input: 0, output: 0, money: 0 }
  try {
    let price: Provider['price']
    const said = await generate(providers, { messages, temperature: 0, maxTokens }, signal, {
      asking: (provider) => {
        price = provider.price
        used = { ...used, input }
      },
      text: (part) => {
        text += part
      },
      attempted: (attempt, error) => events.providerAttempted(job.answerId, attempt, error),
    })
    if ('failed' in said) {
      used = { ...used, input: 0 }
      throw said.failed
    }
    const counted = said.usage ?? { inputTokens: input, outputTokens: estimateTokens(text) }
    used = { requests: 0, input: counted.inputTokens, output: counted.outputTokens, money: costOf(counted, price).cost ?? 0 }
    events.tokensUsed(counted.inputTokens, counted.outputTokens)
    return text
  } finally {
    await usage.settle(pool, reservation, used)
  }
}
