import { createLogger } from '@docent/kit/logger'
import { createMetrics } from '@docent/kit/metrics'
import { expect, test } from 'vitest'
import { createEvents } from './events.ts'

test('answers are counted by the latest twenty versions of the settings, those that were not stopped', async () => {
  const metrics = createMetrics('gateway')
  const events = createEvents(createLogger('test', 'silent'), metrics, () => 0)
  const end = (settingsVersion: number, outcome: string, answerable = true) =>
    events.answerEnded({ answerId: 'a', outcome, ms: 1, model: 'm', degraded: [], answerable, settingsVersion })
  for (let version = 1; version <= 25; version++) end(version, 'done')
  end(25, 'done', false)
  end(25, 'error')
  end(25, 'stopped')
  const { values } = await metrics.getSingleMetric('docent_answers_by_settings_total')!.get()
  const counts = values.map(({ labels, value }) => [Number(labels.version), labels.result, value])
  expect(counts.filter(([version]) => version === 25)).toEqual([
    [25, 'answered', 1],
    [25, 'not_found', 1],
    [25, 'failed', 1],
  ])
  expect(new Set(counts.map(([version]) => version))).toEqual(new Set(Array.from({ length: 20 }, (_, i) => i + 6)))
})
