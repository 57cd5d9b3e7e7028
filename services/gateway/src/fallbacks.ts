import { readFileSync } from 'node:fs'
import { z } from 'zod'

const amount = z.number().min(0).optional()
const count = z.number().int().min(1).optional()
const seconds = z.number().positive().max(3_600).optional()

/** Where a model's server is, with or without the path of the one thing it is asked for. */
export const modelAddress = z
  .url({ protocol: /^https?$/, error: 'must be an address that begins with http:// or https://' })
  .transform((url) => url.replace(/\/chat\/completions\/?$/, ''))
export const modelKey = z
  .string()
  .trim()
  .regex(/^[\x21-\x7e]*$/, 'holds a space or a character that no key has; paste it once more')

const Fallback = z.strictObject({
  name: z
    .string()
    .regex(/^[\w-]{1,32}$/, 'has letters, digits, - and _ only')
    .optional(),
  baseUrl: modelAddress,
  model: z.string().min(1),
  apiKey: modelKey.optional(),
  apiKeyFile: z.string().optional(),
  priceInput: amount,
  priceOutput: amount,
  currency: z.string().length(3).optional(),
  firstTokenS: seconds,
  silenceS: seconds,
  requestsPerMinute: count,
  tokensPerMinute: z.number().int().min(1_000).optional(),
  requestsAtOnce: count,
})

/** A provider as an operator describes it; prices are for a million tokens. */
export type ProviderSpec = Omit<z.infer<typeof Fallback>, 'name' | 'apiKeyFile'> & { name: string }

const presetNames = ['llm', 'deepseek', 'dashscope', 'openrouter']

/** LLM_FALLBACKS: a JSON array of providers. Problems name the entry and the field, never a value. */
export const fallbacks = z
  .string()
  .default('[]')
  .transform((text, context): ProviderSpec[] => {
    let json: unknown
    try {
      json = JSON.parse(text)
    } catch {
      context.addIssue('must be a JSON array of providers')
      return z.NEVER
    }
    const parsed = z.array(Fallback).max(10).safeParse(json)
    if (!parsed.success) {
      for (const { path, message } of parsed.error.issues) context.addIssue(`entry ${path.join('.')}: ${message}`)
      return z.NEVER
    }
    const specs = parsed.data.map(({ name, apiKeyFile, ...rest }, i) => {
      const apiKey =
        rest.apiKey ?? (apiKeyFile ? keyFrom(apiKeyFile, (problem) => context.addIssue(`entry ${i}.apiKeyFile: ${problem}`)) : '')
      return { ...rest, name: name ?? `fallback-${i + 1}`, apiKey }
    })
    const names = [...presetNames, ...specs.map(({ name }) => name)]
    if (new Set(names).size < names.length) context.addIssue(`names must differ, and not be one of ${presetNames.join(', ')}`)
    return specs
  })

function keyFrom(path: string, refuse: (problem: string) => void): string {
  try {
    return readFileSync(path, 'utf8').trim()
  } catch (error) {
    refuse(`the file cannot be read (${(error as NodeJS.ErrnoException).code ?? 'unknown'})`)
    return ''
  }
}
