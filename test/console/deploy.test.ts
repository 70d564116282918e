import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { COUNTERS, GAUGES } from '../../src/console/counters.ts'

const ROOT = join(import.meta.dirname, '../..')
const read = (path: string) => readFileSync(join(ROOT, path), 'utf8')
const namesIn = (text: string) => new Set(text.match(/\bsluice_[a-z0-9_]+/g) ?? [])
const exported = new Set([
  ...Object.keys({ ...COUNTERS, ...GAUGES }),
  ...namesIn(read('src/console/metrics.ts')),
])
const unknownIn = (text: string) => [...namesIn(text)].filter((name) => !exported.has(name))

it('alerts and the dashboard name only metrics that exist', () => {
  expect(unknownIn(read('deploy/alerts.yml'))).toEqual([])
  expect(unknownIn(read('deploy/grafana-dashboard.json'))).toEqual([])
  expect(unknownIn(read('docs/API.md'))).toEqual([])
})

it('would notice one that does not', () => {
  expect(unknownIn('expr: sluice_bus_lots_total > 0')).toEqual(['sluice_bus_lots_total'])
})
