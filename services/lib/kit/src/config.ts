import { readFileSync } from 'node:fs'
import { z } from 'zod'

/** Names every bad variable and its rule, never a value. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError'
  /** `NAME: what is wrong`, one for each bad variable; empty when the message says it all. */
  readonly problems: readonly string[]

  constructor(message: string, problems: readonly string[] = []) {
    super(message)
    this.problems = problems
  }
}

export function badConfig(problems: readonly string[]): ConfigError {
  return new ConfigError(`The configuration has ${problems.length} problem(s):\n  ${problems.join('\n  ')}`, problems)
}

type Env = Record<string, string | undefined>

/**
 * Reads the variables of `schema` from env; X_FILE names a file that holds X; an empty value counts as unset.
 * All problems are reported at once.
 */
export function readEnv<S extends z.ZodObject>(schema: S, env: Env): z.infer<S> {
  const values: Env = {}
  const problems: string[] = []
  for (const name of Object.keys(schema.shape)) {
    const file = env[`${name}_FILE`]
    if (env[name]) values[name] = env[name]
    else if (file) {
      try {
        values[name] = readFileSync(file, 'utf8').trim() || undefined
      } catch (error) {
        problems.push(`${name}_FILE: the file cannot be read (${(error as NodeJS.ErrnoException).code ?? 'unknown'})`)
      }
    }
  }
  const parsed = schema.safeParse(values)
  if (!parsed.success) problems.push(...parsed.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`))
  if (problems.length > 0) throw badConfig(problems)
  return parsed.data as z.infer<S>
}

/** Reads several configurations and throws the problems of all of them at once, each variable named once. */
export function readAll(reads: readonly (() => unknown)[]): void {
  const byName = new Map<string, string>()
  for (const read of reads) {
    try {
      read()
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error
      for (const problem of error.problems.length > 0 ? error.problems : [error.message]) {
        const name = problem.split(':', 1)[0]!
        if (!byName.has(name)) byName.set(name, problem)
      }
    }
  }
  if (byName.size > 0) throw badConfig([...byName.values()])
}

/** For rules between variables: they are looked at, too, when others are bad. */
export const always = { when: () => true }

export const envBoolean = z
  .enum(['true', 'false', '1', '0', 'on', 'off'])
  .transform((value) => value === 'true' || value === '1' || value === 'on')
export const envPort = z.coerce.number().int().min(0).max(65_535)
export const envSecret = z
  .string()
  .min(32, 'must have at least 32 characters')
  .refine((value) => new Set(value).size > 6 && !/changeme|password|secret123/i.test(value), 'is a known or guessable value')
