import { readEnv } from '@docent/kit/config'
import { z } from 'zod'
import { openContainerMemory } from './container-memory.ts'
import type { ExtractorConfig } from './extractor-service.ts'

const MB = 1024 * 1024
const USUAL_MB = 256
const OCR_MB = 240
// What the service itself needs beside its one busy child.
const OWN_MB = 64

const Env = z.object({
  DOCENT_FOLDER: z.string().default('/documents').meta({ description: 'The folder of documents' }),
  EXTRACTOR_SOCKET: z.string().default('/run/extractor/extractor.sock').meta({ description: 'The Unix socket the extractor answers on' }),
  MAX_FILE_MB: z.coerce.number().int().min(1).max(2_000).default(50).meta({ description: 'Larger files are not read' }),
  EXTRACT_TIMEOUT_S: z.coerce.number().int().min(1).max(3_600).default(60).meta({ description: 'How long one document may take' }),
  EXTRACT_MEMORY_MB: z.coerce
    .number()
    .int()
    .min(100)
    .max(8_000)
    .optional()
    .meta({ description: 'What one document may use; default 256, less where the container is small' }),
  EXTRACT_CONCURRENCY: z.coerce.number().int().min(1).max(16).default(1).meta({ description: 'Documents parsed at once' }),
  OCR: z
    .enum(['auto', 'off'])
    .default('auto')
    .meta({ description: 'OCR of scanned pages and pictures (Chinese, English): auto where its memory allows, or off' }),
  OCR_MAX_PAGES: z.coerce.number().int().min(1).max(100).default(50).meta({ description: 'Pages of one document that OCR reads at most' }),
  LOG_LEVEL: z.enum(['trace', 'debug', 'info', 'warn', 'error']).default('info').meta({ description: 'What is logged' }),
})

/** The variables this service reads, for .env.example and the README. */
export const extractorEnv = Env

export function readConfig(env: Record<string, string | undefined>): Readonly<ExtractorConfig> {
  const read = readEnv(Env, env)
  const childMemoryMb = read.EXTRACT_MEMORY_MB ?? defaultMemoryMb(openContainerMemory().limitMb(), read.EXTRACT_CONCURRENCY)
  return Object.freeze({
    root: read.DOCENT_FOLDER,
    socket: read.EXTRACTOR_SOCKET,
    childMemoryMb,
    timeoutMs: read.EXTRACT_TIMEOUT_S * 1000,
    maxFileBytes: read.MAX_FILE_MB * MB,
    concurrency: read.EXTRACT_CONCURRENCY,
    ...(read.OCR === 'off' ? {} : { ocr: ocrWithin(childMemoryMb, read.OCR_MAX_PAGES) }),
    log: read.LOG_LEVEL,
  })
}

/** A scan in colours at 300 dpi took 208 MB: with less, OCR would end the reading of what can be read without it. */
export function ocrWithin(childMemoryMb: number, maxPages: number): ExtractorConfig['ocr'] {
  if (childMemoryMb >= OCR_MB) return { maxPages }
  return {
    whyNot: `OCR needs ${OCR_MB} MB for a document and has ${childMemoryMb}: set EXTRACTOR_MEM=320m (or EXTRACT_MEMORY_MB), then retry it`,
  }
}

/** The child must hit its own limit before the kernel kills the container for it. */
export function defaultMemoryMb(limitMb: number | undefined, concurrency: number): number {
  return limitMb === undefined ? USUAL_MB : Math.max(100, Math.min(USUAL_MB, Math.floor((limitMb - OWN_MB) / concurrency)))
}
