import { spawnSync } from 'node:child_process'
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import { declaredMetrics, metricsIn } from './metric-names.ts'
import { promtoolCommand } from './programs.ts'

type Rule = { alert?: string; record?: string; expr: string; labels?: Record<string, string>; annotations?: Record<string, string> }
const folder = fileURLToPath(new URL('../../../../prometheus/', import.meta.url))
const ruleFiles = readdirSync(join(folder, 'rules')).map((name) => join(folder, 'rules', name))
const testFiles = readdirSync(join(folder, 'tests'))
const rules = ruleFiles.flatMap((file) =>
  (parse(readFileSync(file, 'utf8')) as { groups: { rules: Rule[] }[] }).groups.flatMap((group) => group.rules),
)
const alerts = rules.filter((rule) => rule.alert)

describe('Prometheus', () => {
  let copy: string
  beforeAll(() => {
    copy = mkdtempSync(join(tmpdir(), 'docent-prometheus-'))
    cpSync(folder, copy, { recursive: true })
    const config = join(copy, 'prometheus.yml')
    writeFileSync(config, readFileSync(config, 'utf8').replace('/etc/prometheus/', `${copy}/`))
  })
  afterAll(() => rmSync(copy, { recursive: true, force: true }))

  function promtool(...args: string[]) {
    const { status, stdout, stderr } = spawnSync(promtoolCommand(), args, { encoding: 'utf8', cwd: join(copy, 'tests'), timeout: 50_000 })
    expect(status, stdout + stderr).toBe(0)
  }

  test('the configuration and its rules are valid', () => promtool('check', 'config', join(copy, 'prometheus.yml')))
  test.each(testFiles)('%s: silent before, heard after, in the right words', (file) => promtool('test', 'rules', file))

  test('every alert says what, how bad and what to do', () => {
    const headings = [...readFileSync(join(folder, 'runbook.md'), 'utf8').matchAll(/^## (.+)$/gm)].map((match) => match[1])
    for (const { alert, labels, annotations } of alerts) {
      expect(labels?.severity, alert).toMatch(/^(critical|warning|none)$/)
      expect(annotations?.summary, alert).toBeTruthy()
      expect(annotations?.description, alert).toBeTruthy()
      expect(annotations?.runbook_url, alert).toBe(`prometheus/runbook.md#${alert?.toLowerCase()}`)
      expect(headings, alert).toContain(alert)
    }
    expect(headings).toHaveLength(alerts.length)
  })

  test('every alert has a test for its sound, and all but Watchdog one for its silence', () => {
    const cases = testFiles
      .flatMap(
        (file) =>
          (
            parse(readFileSync(join(folder, 'tests', file), 'utf8')) as {
              tests: { alert_rule_test: { alertname: string; exp_alerts: unknown[] }[] }[]
            }
          ).tests,
      )
      .flatMap((group) => group.alert_rule_test)
    for (const { alert } of alerts) {
      expect(
        cases.some((entry) => entry.alertname === alert && entry.exp_alerts.length > 0),
        `${alert}: sound`,
      ).toBe(true)
      if (alert !== 'Watchdog')
        expect(
          cases.some((entry) => entry.alertname === alert && entry.exp_alerts.length === 0),
          `${alert}: silence`,
        ).toBe(true)
    }
  })

  test('every metric of ours in a rule is declared by a service', () => {
    const declared = declaredMetrics()
    expect([...new Set(rules.flatMap((rule) => metricsIn(rule.expr)))].filter((name) => !declared.has(name))).toEqual([])
  })
})
