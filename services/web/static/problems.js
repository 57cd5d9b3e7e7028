import { Problem } from './api.js'
import { t } from './i18n.js'

/** What to tell the reader of a request that failed, in his language. */
export function problemText(error) {
  if (!(error instanceof Problem)) return t('offline')
  const text = t('problems')[error.code] ?? error.message
  return error.retryAfterS && error.code !== 'budget_exhausted' ? `${text} ${t('waitSeconds', Math.ceil(error.retryAfterS))}` : text
}
