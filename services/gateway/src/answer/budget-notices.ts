import type { Events } from '../events.ts'
import type { BudgetShare } from '../store/usage.ts'
import { say, type Tongue } from './phrases.ts'

/** What the reader is told when a budget is used beyond `warnPercent`, what is put aside for running answers included. */
export function createBudgetNotices(warnPercent: number, events: Pick<Events, 'budgetSeen' | 'budgetNear'>) {
  return (shares: readonly BudgetShare[], tongue: Tongue): { code: string; message: string }[] => {
    const notices = []
    for (const { name, used, budget } of shares) {
      const ratio = used / budget
      events.budgetSeen(name, ratio)
      if (ratio * 100 < warnPercent) continue
      events.budgetNear(name, ratio)
      const percent = `${Math.min(100, Math.round(ratio * 100))} %`
      notices.push({ code: 'budget', message: [say(name, tongue), say('budgetNear', tongue), percent].join(tongue === 'en' ? ' ' : '') })
    }
    return notices
  }
}
