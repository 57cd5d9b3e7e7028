import { getJson } from './api.js'
import { language, t } from './i18n.js'
import { element } from './markdown.js'
import { box } from './owner-parts.js'
import { costText } from './records.js'

/** What all together used today and this month (days are UTC), and how full the budgets are. */
export async function showUse() {
  const today = new Date().toISOString().slice(0, 10)
  const { items, budgets, currency, note } = await getJson(`/api/v1/usage?principal=*&from=${today.slice(0, 8)}01&limit=31`)
  const unit = currency ?? ''
  const lines = [
    [t('today'), sumOf(items.filter(({ day }) => day === today))],
    [t('thisMonth'), sumOf(items)],
  ]
  return box(
    'div',
    'use',
    box('dl', 'known', ...lines.flatMap(([name, sum]) => [element('dt', name), element('dd', sumText(sum, unit))])),
    box('h3', '', t('budgets')),
    budgets.length > 0 ? box('ul', 'stages', ...budgets.map((one) => budgetLine(one, unit))) : box('p', 'note', t('noBudgets')),
    note ? box('p', 'note is-warning', note) : undefined,
    box('p', 'note', t('useText')),
  )
}

function sumOf(rows) {
  const sum = { requests: 0, tokens: 0, cost: 0 }
  for (const { requests, inputTokens, outputTokens, cost } of rows) {
    sum.requests += requests
    sum.tokens += inputTokens + outputTokens
    sum.cost += cost ?? 0
  }
  return sum
}

const number = (n) => n.toLocaleString(language === 'zh' ? 'zh-CN' : 'en', { maximumFractionDigits: 2 })

function sumText({ requests, tokens, cost }, unit) {
  const facts = [t('useQuestions', number(requests)), t('useTokens', number(tokens)), costText({ cost, currency: unit })]
  return facts.filter(Boolean).join(' · ')
}

function budgetLine({ name, used, budget }, unit) {
  const bar = box('span', used >= budget ? 'bar is-full' : 'bar')
  bar.style.width = `${Math.min(100, (used / budget) * 100)}%`
  const figures = `${number(used)} / ${number(budget)}${name.endsWith('Money') ? ` ${unit}` : ''}`
  return box(
    'li',
    'stage is-budget',
    box('span', '', t('budgetNames')[name] ?? name),
    box('span', 'track', bar),
    box('span', 'ms', figures),
  )
}
