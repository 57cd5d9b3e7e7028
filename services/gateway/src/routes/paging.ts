import { isStorable } from '@docent/core/text/storable'
import { z } from 'zod'

const notOne = 'is not a cursor of this list'

/** `limit` of a list that comes in pages. */
export const pageLimit = (most: number, standard = 50) => z.coerce.number().int().min(1).max(most).default(standard)

/** `cursor`: what the page before gave as `next`; `shape` is what stands in it, in order. */
export function pageCursor<T extends z.ZodTuple>(shape: T) {
  return z
    .string()
    .max(400)
    .transform((text, context) => {
      const read = shape.safeParse(partsOf(text))
      if (read.success) return read.data as z.infer<T>
      context.addIssue(notOne)
      return z.NEVER
    })
    .optional()
    .meta({ description: '`next` of the page before' })
}

/** Whose: `admin`, `key:ID`, `user:NAME`, `client:…` or `addr:…`. */
export const principalFilter = z
  .string()
  .min(1)
  .max(300)
  .refine(isStorable, 'cannot be searched')
  .optional()
  .meta({ description: 'Of one caller, like key:ID; of all of a kind, when it ends in a colon: key: are all keys' })

/** Of lists whose rows are numbered: the number of the last one. */
export const pageNumber = (most = Number.MAX_SAFE_INTEGER) =>
  z
    .string()
    .regex(/^\d{1,15}$/)
    .transform(Number)
    .refine((number) => number <= most, notOne)
    .optional()
    .meta({ description: '`next` of the page before' })

/** A time to the microsecond, as `utcText` writes it; Postgres has no year 0. */
export const pageTime = z.iso.datetime({ precision: 6 }).refine((time) => !time.startsWith('0000'))
/** A day that Postgres has. */
export const pageDay = z.iso.date().refine((day) => !day.startsWith('0000'))
/** A text that can be compared in Postgres. */
export const pageText = z.string().refine(isStorable)

/** Of limit + 1 rows the page, and where the next one begins: after the last of it. */
export function pageOf<R extends object>(rows: readonly R[], limit: number, placeOf: (row: R) => string[]): { items: R[]; next?: string } {
  const last = rows.length > limit ? rows[limit - 1] : undefined
  return { items: rows.slice(0, limit), ...(last ? { next: writeCursor(placeOf(last)) } : {}) }
}

/** A page of a list that is short enough to be read whole, sorted by `keyOf`; the query is one of `shortPage`. */
export function pageOfAll<R extends object>(
  all: readonly R[],
  { limit, cursor }: z.infer<typeof ShortPage>,
  keyOf: (row: R) => string,
  order: 'rising' | 'falling' = 'rising',
): { items: R[]; next?: string } {
  const sign = order === 'rising' ? 1 : -1
  const compare = (a: string, b: string) => (a === b ? 0 : a < b ? -sign : sign)
  const sorted = all.toSorted((a, b) => compare(keyOf(a), keyOf(b)))
  const rest = cursor ? sorted.filter((row) => compare(keyOf(row), cursor[0]) > 0) : sorted
  return pageOf(rest, limit, (row) => [keyOf(row)])
}

/** Of lists that an owner or a reader writes by hand. */
export const ShortPage = z.strictObject({ limit: pageLimit(1_000, 200), cursor: pageCursor(z.tuple([z.string().min(1)])) })

/** What `next` holds. */
export function writeCursor(parts: readonly string[]): string {
  return Buffer.from(JSON.stringify(parts)).toString('base64url')
}

function partsOf(text: string): unknown {
  try {
    return JSON.parse(Buffer.from(text, 'base64url').toString('utf8'))
  } catch {
    return undefined
  }
}
