import { AppError } from '@docent/core/errors'
import { bulkhead } from 'cockatiel'

export type Admission = ReturnType<typeof createAdmission>

/** At most `running` answers at once; `waiting` more questions wait up to `waitMs` for a place, all others are refused at once. */
export function createAdmission({ running, waiting, waitMs }: { running: number; waiting: number; waitMs: number }) {
  const room = bulkhead(running, waiting)
  return {
    /** Resolves with what gives the place back. Throws `overloaded`. */
    enter(): Promise<() => void> {
      return new Promise((entered, refused) => {
        let gaveUp = false
        const giveUp = () => {
          gaveUp = true
          clearTimeout(timer)
          refused(new AppError('overloaded', 'Too many questions are being answered; ask again in a moment.', { retryAfterS: 2 }))
        }
        const timer = setTimeout(giveUp, waitMs)
        // the place is taken until the promise of the work settles
        const stay = () => {
          clearTimeout(timer)
          if (gaveUp) return
          return new Promise<void>((leave) => entered(leave))
        }
        room.execute(stay).catch(giveUp)
      })
    },
  }
}
