import { AppError } from '@docent/core/errors'
import OpenAI, { APIError } from 'openai'
import { retryAfterOf } from '../upstream.ts'

/**
 * Sends requests as the openai client makes them, whose address and headers are the same for all and are made once; who asks bounds their
 * time and decides on further tries. What a model refuses by name it is asked without, from then on. Errors: AppError, `unavailable` without an answer.
 */
export function createDoor({
  baseUrl,
  apiKey,
  fetch: send = fetch,
}: {
  baseUrl: string
  apiKey: string
  fetch?: typeof fetch | undefined
}) {
  const client = new OpenAI({ baseURL: baseUrl, apiKey: apiKey || 'none' })
  const prepare = async () => {
    const { req, url } = await client.buildRequest({ method: 'post', path: '/chat/completions', body: {} })
    return { url: new URL(url), headers: Object.fromEntries(req.headers) }
  }
  let prepared: ReturnType<typeof prepare> | undefined
  const refused = new Set<Optional>()

  async function post(body: Body, signal: AbortSignal): Promise<Response> {
    prepared ??= prepare()
    const { url, headers } = await prepared
    const response = await send(url, { method: 'POST', headers, body: JSON.stringify(body), signal }).catch((cause: unknown) => {
      throw new AppError('unavailable', "The model's provider does not answer.", { cause })
    })
    if (response.ok) return response
    const said = await response.text().catch(() => '')
    throw refusal(APIError.generate(response.status, jsonOf(said), said, response.headers), response)
  }

  return async (body: Body, signal: AbortSignal): Promise<Response> => {
    for (;;) {
      const left = new Set(refused) // another question may learn of more meanwhile
      try {
        return await post(without(body, left), signal)
      } catch (error) {
        const name = refusedBy(error)
        if (!name || left.has(name)) throw error
        refused.add(name)
      }
    }
  }
}

type Body = OpenAI.ChatCompletionCreateParamsStreaming
const optional = ['stream_options', 'max_tokens', 'temperature'] as const
type Optional = (typeof optional)[number]

/** Reasoning models of OpenAI take `max_completion_tokens` in place of `max_tokens`. */
function without(body: Body, refused: ReadonlySet<Optional>): Body {
  if (refused.size === 0) return body
  const left = { ...body }
  for (const name of refused) delete left[name]
  return refused.has('max_tokens') ? { ...left, max_completion_tokens: body.max_tokens ?? null } : left
}

const unknown = '(?:unsupported|not support|not permitted|not allowed|unknown|unrecognized|extra)'
const refusals = optional.map((name) => ({
  name,
  // near each other: some servers echo the whole request
  pattern: new RegExp(String.raw`${unknown}[^.]{0,80}\b${name}\b|\b${name}\b[^.]{0,80}${unknown}`, 'i'),
}))

/** Which of them a server says it does not take. A length that is too great for it is no such refusal. */
function refusedBy(error: unknown): Optional | undefined {
  if (!(error instanceof AppError) || error.code !== 'bad_request' || !(error.cause instanceof APIError)) return undefined
  const { message } = error.cause
  return refusals.find(({ pattern }) => pattern.test(message))?.name
}

function jsonOf(text: string): object | undefined {
  try {
    return JSON.parse(text) as object
  } catch {
    return undefined // an error page: its text is the message
  }
}

function refusal(error: APIError, { status, headers }: Response): AppError {
  const said = `The model's provider answered ${status}`
  if ([401, 402, 403].includes(status))
    return new AppError('upstream_unauthorized', `${said}: check the key and the account.`, { cause: error })
  const retryAfterS = retryAfterOf(headers)
  const options = { cause: error, ...(retryAfterS === undefined ? {} : { retryAfterS }) }
  if (status === 429) return new AppError('rate_limited', `${said}: it limits the rate.`, options)
  if (status === 404) return new AppError('upstream_failed', `${said}: check the model's name and the base URL.`, options)
  if (status < 500 && status !== 408 && status !== 409) return new AppError('bad_request', `${said}: it refuses the request.`, options)
  return new AppError('unavailable', `${said}.`, options)
}
