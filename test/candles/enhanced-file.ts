// The recorded files with the 13 computed columns: their rows outside of the conflict, and the lines inside.
import { readFileSync } from 'node:fs'
import type { Bar, Interval } from '../../src/candles/candle.ts'
import { parseTime } from '../../src/candles/format-time.ts'

export interface EnhancedRow {
  readonly bar: Bar
  /** The columns from ma10 on, as printed. */
  readonly printed: readonly string[]
}

export function readEnhanced(path: string, interval: Interval): { rows: EnhancedRow[]; conflict: string[] } {
  const rows: EnhancedRow[] = []
  const conflict: string[] = []
  let inside = false
  for (const line of readFileSync(path, 'utf8').trimEnd().split('\n').slice(1)) {
    if (line.startsWith('<<<<<<<')) inside = true
    if (inside) conflict.push(line)
    else rows.push(rowOf(line, interval))
    if (line.startsWith('>>>>>>>')) inside = false
  }
  return { rows, conflict }
}

function rowOf(line: string, interval: Interval): EnhancedRow {
  const [ticker, time, open, high, low, close, volume, ...printed] = line.split(',')
  const [o, h, l, c, v] = [open, high, low, close, volume].map(Number)
  const place = { source: 'vn', ticker: ticker!, interval, time: parseTime(time!)! }
  return { bar: { ...place, open: o!, high: h!, low: l!, close: c!, volume: v! }, printed }
}
