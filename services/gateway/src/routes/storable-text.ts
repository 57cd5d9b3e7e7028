import { isStorable } from '@docent/core/text/storable'
import { z } from 'zod'

/** A text of 1 to `max` characters that can be stored, without the white space around it. */
export function storableText(max: number) {
  return z.string().trim().min(1).max(max).refine(isStorable, 'cannot be stored')
}

const first = Date.parse('0001-01-01T00:00:00Z')
const last = Date.parse('9999-12-31T23:59:59Z')

/** A time with its zone, as UTC: Postgres has no year 0 and knows zones up to 15 hours away only. */
export const storableTime = z.iso
  .datetime({ offset: true })
  .refine((text) => !(Date.parse(text) < first || Date.parse(text) > last), 'is out of reach')
  .overwrite((text) => (Number.isNaN(Date.parse(text)) ? text : new Date(text).toISOString()))
