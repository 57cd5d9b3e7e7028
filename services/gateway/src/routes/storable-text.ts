import { isStorable } from '@docent/core/text/storable'
import { z } from 'zod'

/** A text of 1 to `max` characters that can be stored, without the white space around it. */
export function storableText(max: number) {
  return z.string().trim().min(1).max(max).refine(isStorable, 'cannot be stored')
}
