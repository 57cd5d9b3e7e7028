import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import { declaredMetrics, metricsIn } from './metric-names.ts'

type Panel = {
  type: string
  title: string
  description?: string
  datasource?: { uid: string }
  fieldConfig?: { defaults: { unit?: string } }
  targets?: { expr: string; datasource?: { uid: string } }[]
}
type Dashboard = {
  id: null
  uid: string
  title: string
  description?: string
  panels: Panel[]
  templating: { list: { name: string; type: string }[] }
}
const folder = fileURLToPath(new URL('../../../../grafana/', import.meta.url))
const files = readdirSync(join(folder, 'dashboards'))
const read = (file: string) => JSON.parse(readFileSync(join(folder, 'dashboards', file), 'utf8')) as Dashboard

describe.each(files)('dashboard %s', (file) => {
  const dashboard = read(file)
  const panels = dashboard.panels.filter((panel) => panel.type !== 'row')

  test('has no id, a fixed uid and one datasource variable', () => {
    expect(dashboard.id).toBeNull()
    expect(dashboard.uid).toBe(`docent-${file.replace('.json', '')}`)
    expect(dashboard.templating.list.map(({ name, type }) => [name, type])).toEqual([['datasource', 'datasource']])
  })

  test('every panel has a title, a description, a unit and the variable as its source', () => {
    for (const panel of panels) {
      expect(panel.title).toBeTruthy()
      expect(panel.description, panel.title).toMatch(/.{20}/)
      expect(panel.fieldConfig?.defaults.unit, panel.title).toBeTruthy()
      for (const source of [panel, ...(panel.targets ?? [])]) expect(source.datasource?.uid, panel.title).toBe('$' + '{datasource}')
      expect(panel.targets?.length, panel.title).toBeGreaterThan(0)
    }
  })

  test('every metric of ours is declared by a service', () => {
    const declared = declaredMetrics()
    const asked = panels.flatMap((panel) => panel.targets ?? []).flatMap(({ expr }) => metricsIn(expr))
    expect([...new Set(asked)].filter((name) => !declared.has(name))).toEqual([])
  })

  test('rates use the interval that Grafana chooses', () => {
    for (const panel of panels) for (const { expr } of panel.targets ?? []) expect(expr, panel.title).not.toMatch(/\[\d+[smh]\]/)
  })
})

test('the provisioned folder and source are those that compose mounts', () => {
  const provider = parse(readFileSync(join(folder, 'provisioning/dashboards/docent.yml'), 'utf8')) as {
    providers: { options: { path: string } }[]
  }
  const compose = readFileSync(join(folder, '../compose/observability.yml'), 'utf8')
  expect(compose).toContain(`./grafana/dashboards:${provider.providers[0]?.options.path}:ro`)
})
