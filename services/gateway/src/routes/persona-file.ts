import { AppError } from '@docent/core/errors'
import { fieldWords } from '@docent/kit/field-words'
import { badFields, languageOfWords } from '@docent/kit/parse'
import type { Request } from 'express'
import { parse as parseYaml, stringify } from 'yaml'
import type { z } from 'zod'
import type { Persona } from '../store/personas.ts'

/** A persona as a file: Markdown whose front matter holds all but the prompt, or JSON. */
export function personaFile({ id, version: _version, title, prompt, ...rest }: Persona, format: 'md' | 'json'): string {
  const { settings, answersWithoutSources } = rest
  const own = {
    ...{ id, title, ...rest },
    settings: Object.keys(settings).length > 0 ? settings : null,
    answersWithoutSources: answersWithoutSources || null,
  }
  const head = Object.fromEntries(Object.entries(own).filter(([, value]) => value !== null))
  return format === 'json' ? `${JSON.stringify({ ...head, prompt }, null, 2)}\n` : `---\n${stringify(head)}---\n\n${prompt}\n`
}

/** Reads either form. Errors: validation, naming the file by `place` and what to correct. */
export function readPersonaFile<S extends z.ZodType>(text: string, schema: S, place: string, req: Pick<Request, 'get'>): z.output<S> {
  const read = schema.safeParse(contentOf(text.replace(/^\uFEFF/, ''), place))
  if (read.success) return read.data
  const language = languageOfWords(req)
  throw badFields(
    read.error.issues.map((issue) => ({ path: [place, ...issue.path].join('.'), message: fieldWords(issue, language) })),
    req,
  )
}

function contentOf(text: string, place: string): unknown {
  const refuse = (why: string) => new AppError('validation', `${place} ${why}`, { errors: [{ path: place, message: why }] })
  if (/^\s*\{/.test(text)) {
    try {
      return JSON.parse(text)
    } catch (error) {
      throw refuse(`is no JSON: ${error instanceof Error ? error.message : 'it cannot be read'}`)
    }
  }
  const parts = /^---\r?\n([\s\S]*?)\r?\n---[ \t]*(?:\r?\n|$)([\s\S]*)$/.exec(text)
  if (!parts) throw refuse('is neither JSON nor Markdown that begins with front matter between two lines of ---')
  try {
    // no aliases: a few lines of them grow without bound
    const head: unknown = parseYaml(parts[1]!, { maxAliasCount: 0 })
    return typeof head === 'object' && head !== null ? { ...head, prompt: parts[2] } : head
  } catch (error) {
    throw refuse(`has front matter that is no YAML: ${error instanceof Error ? error.message.split('\n')[0] : 'it cannot be read'}`)
  }
}
