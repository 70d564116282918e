// Candles as the sorted sets, snapshots and histories of the replaced systems. A key without a source is made of the one
// that is first in the alphabet, as GET /ohlc answers.
import { answerTickers, type BarKey, type Interval, type SqlCandles } from '../candles/index.ts'
import { candleLifetimeMs, type MarketHours, type ProjectionFamily, projections } from '../catalog/index.ts'
import { isoTime } from '../kernel/index.ts'
import type { StoredBar } from './read-bars.ts'
import type { Member, Put } from './writer.ts'

/** A sorted set of bars. */
export interface BarSet {
  readonly key: string
  readonly lifetimeMs: number | undefined
  readonly cap: number
  score(time: number): number
  member(bar: StoredBar): Member
}

/** The reference makes other intervals of these. */
const OHLCV_CAPS: Readonly<Partial<Record<Interval, number>>> = { '1D': 5_000, '1h': 30_000, '1m': 20_000 }
const TIMEFRAMES: Readonly<Partial<Record<Interval, string>>> = {
  ...{ '1m': 'M1', '5m': 'M5', '15m': 'M15', '1h': 'H1', '4h': 'H4', '1D': 'D1' },
}

/** @param isFirst the series is the one that stands for its ticker. */
export function barSets(
  { source, ticker, interval }: BarKey,
  isFirst: boolean,
  families: ReadonlySet<ProjectionFamily>,
): BarSet[] {
  const cap = OHLCV_CAPS[interval]
  const timeframe = TIMEFRAMES[interval]
  const { ohlcv, ohlc } = projections
  const sets: BarSet[] = []
  if (families.has('candles') && cap !== undefined) {
    sets.push({
      ...{ key: ohlcv.key({ source, ticker, interval }), lifetimeMs: ohlcv.lifetimeMs, cap },
      score: (time) => time,
      member: (bar) => [bar.time, ohlcvMember(bar)],
    })
  }
  if (families.has('ticks') && timeframe !== undefined && isFirst) {
    sets.push({
      ...{ key: ohlc.key({ symbol: ticker, timeframe }), lifetimeMs: ohlc.lifetimeMs, cap: ohlc.cap! },
      score: (time) => time / 1_000,
      member: (bar) => [bar.time / 1_000, JSON.stringify(ohlcJson(bar))],
    })
  }
  return sets
}

/** Patterns of all sets, each with how their names may end. */
export function barPatterns(families: ReadonlySet<ProjectionFamily>) {
  const { ohlcv, ohlc } = projections
  const sets = [
    {
      ...{ family: ohlcv.family, ends: Object.keys(OHLCV_CAPS) },
      pattern: ohlcv.key({ source: '*', ticker: '*', interval: '*' }),
    },
    {
      ...{ family: ohlc.family, ends: Object.values(TIMEFRAMES) },
      pattern: ohlc.key({ symbol: '*', timeframe: '*' }),
    },
  ]
  return sets.filter(({ family }) => families.has(family))
}

const ohlcvMember = ({ time, open, high, low, close, volume, updatedAt }: StoredBar) =>
  [time, open, high, low, close, volume, updatedAt].join('|')

const ohlcJson = ({ time, open, high, low, close, volume }: StoredBar) => ({
  ...{ time: time / 1_000, open, high, low, close, volume },
})

// The rows that GET /tickers answers without a limit of its own.
const SNAPSHOT_LIMIT = 252

/** With the moving averages and without. */
export async function snapshotKey(
  store: SqlCandles,
  { source, ticker, interval }: BarKey,
): Promise<Omit<Put, 'version'>> {
  const { key, lifetimeMs } = projections.snapshot
  const query = { source, symbol: ticker, interval, limit: String(SNAPSHOT_LIMIT) }
  const { body } = await answerTickers(query, { sql: store, maxAgeSeconds: () => 0 })
  const rows = (JSON.parse(body) as Record<string, Record<string, unknown>[]>)[ticker] ?? []
  const plain = rows.map((row) =>
    Object.fromEntries(Object.entries(row).filter(([name]) => !/^ma\d/.test(name))),
  )
  const fields = [
    [`${SNAPSHOT_LIMIT}:true`, JSON.stringify(rows)],
    [`${SNAPSHOT_LIMIT}:false`, JSON.stringify(plain)],
  ] as const
  const content = { type: 'hash', fields: rows.length === 0 ? [] : fields } as const
  return { key: key({ source, ticker, interval }), lifetimeMs, content }
}

const NAMES: Readonly<Partial<Record<Interval, string>>> = { '1D': '1d', '1W': '1w', '2W': '2w', '1M': '1mo' }
const DAY_MS = 86_400_000

export interface Window {
  /** ms UTC, both inclusive. */
  readonly from: number
  readonly to: number
}

/** The day of a time, or for days and longer its year. */
export function windowOf(interval: Interval, time: number): Window {
  if (NAMES[interval] !== undefined) {
    const year = new Date(time).getUTCFullYear()
    return { from: Date.UTC(year), to: Date.UTC(year + 1) - 1 }
  }
  const from = Math.floor(time / DAY_MS) * DAY_MS
  return { from, to: from + DAY_MS - 1 }
}

/** A pattern of every history. */
export const historyPattern = () =>
  projections.history.key({ symbol: '*', from: '*', to: '*', interval: '*' })

function historyName({ ticker, interval }: BarKey, window: Window): string {
  const [from, to] = [window.from, window.to].map((time) => isoTime(time).slice(0, 10))
  return projections.history.key({
    ...{ symbol: ticker, from: from!, to: to!, interval: NAMES[interval] ?? interval },
  })
}

/** The windows of a series between two others of which there are histories among these names. */
export function windowsAmong(
  names: readonly string[],
  key: BarKey,
  { after, before }: { readonly after: Window; readonly before: Window },
): Window[] {
  return names.flatMap((name) => {
    const window = windowOf(key.interval, Date.parse(name.split(':')[2] ?? ''))
    const isBetween = window.from > after.to && window.to < before.from
    return isBetween && historyName(key, window) === name ? [window] : []
  })
}

export function historyKey(
  key: BarKey,
  window: Window,
  bars: readonly StoredBar[],
  { now, hours }: { readonly now: number; readonly hours: MarketHours },
): Omit<Put, 'version'> {
  const value = JSON.stringify(bars.map((bar) => ({ ...ohlcJson(bar), time: isoTime(bar.time) })))
  return {
    ...{ key: historyName(key, window), lifetimeMs: candleLifetimeMs(key.interval, now, hours) },
    content: bars.length === 0 ? { type: 'none' } : { type: 'string', value },
  }
}
