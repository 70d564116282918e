// Judges days of ticks: what is stored and what is in quarantine, for each symbol and source. Kept in `tick_quality`;
// what has changed in neither since is not computed again.
import { and, count, type Database, eq, gte, inArray, lt, sql as raw } from '../db/index.ts'
import { type Clock, SluiceError } from '../kernel/index.ts'
import { DAY_MS, dayName, dayNumber } from './day-name.ts'
import { compareText } from './order.ts'
import { openQualityCount, scoreOf } from './quality.ts'
import type { TickCursor, TickSeries, TickStore } from './tick.ts'

export interface QualityRow {
  /** YYYY-MM-DD, UTC. */
  readonly day: string
  readonly symbol: string
  readonly source: string
  readonly ticks: number
  /** Pauses of more than a minute. */
  readonly gaps: number
  readonly maxGapMs: number
  /** Count by reason. */
  readonly quarantined: Readonly<Record<string, number>>
  /** Quote units; null without ticks. */
  readonly minSpread: number | null
  readonly avgSpread: number | null
  readonly maxSpread: number | null
  /** 0 to 100. */
  readonly score: number
  /** ms UTC. */
  readonly computedAt: number
}

export interface QualityReport {
  /** Ordered by (day, symbol, source). */
  readonly rows: readonly QualityRow[]
  /** In quarantine without a time, a symbol or a source that could be read, by reason; they belong to no row. */
  readonly unplaced: Readonly<Record<string, number>>
}

export interface QualityOptions {
  readonly database: Database
  readonly store: Pick<TickStore, 'series' | 'range'>
  readonly clock: Clock
  /** YYYY-MM-DD; default: every day. */
  readonly day?: string | undefined
  readonly symbol?: string | undefined
}

// 100,000 ticks are read at once; a day of one symbol with a tick a second has 86,400.
const PAGE = 100_000
const DAYS_AT_ONCE = 500

/** Throws USAGE for what is no day. */
export async function reportQuality(options: QualityOptions): Promise<QualityReport> {
  const { database, store, clock, day, symbol } = options
  if (day !== undefined && dayNumber(day) === undefined) {
    throw new SluiceError('USAGE', `${day} is no day; allowed: a UTC day as YYYY-MM-DD.`, { day })
  }
  const { placed, unplaced } = await findQuarantined(options)
  const stored = (await store.series(day)).filter(
    (series) => symbol === undefined || series.symbol === symbol,
  )
  const known = await findRows(database, [...new Set(stored.map((series) => series.day))])
  const rows: QualityRow[] = []
  for (const series of stored) {
    const name = nameOf(series)
    const quarantined = placed.get(name)?.reasons ?? {}
    placed.delete(name)
    const before = known.get(name)
    // Ticks are only ever added, so as many as before are the same ones.
    const isSame = before?.ticks === series.ticks && sameCounts(before.quarantined, quarantined)
    rows.push(isSame ? before : await judgeSeries(store, series, quarantined, clock.now()))
  }
  // All that came of these is in quarantine.
  for (const { day: only, symbol: of, source, reasons } of placed.values()) {
    rows.push(rowOf({ day: only, symbol: of, source }, openQualityCount(), reasons, clock.now()))
  }
  rows.sort(byName)
  if (rows.length > 0) await database.write(({ upsert, t }) => upsert(t.tickQuality, rows))
  return { rows, unplaced }
}

type Name = Pick<QualityRow, 'day' | 'symbol' | 'source'>

const nameOf = ({ day, symbol, source }: Name) => `${day}\0${symbol}\0${source}`
const byName = (a: Name, b: Name) =>
  compareText(a.day, b.day) || compareText(a.symbol, b.symbol) || compareText(a.source, b.source)

function sameCounts(a: Readonly<Record<string, number>>, b: Readonly<Record<string, number>>): boolean {
  const reasons = Object.keys(a)
  return reasons.length === Object.keys(b).length && reasons.every((reason) => a[reason] === b[reason])
}

async function judgeSeries(
  store: QualityOptions['store'],
  { day, symbol, source }: TickSeries,
  quarantined: Readonly<Record<string, number>>,
  now: number,
): Promise<QualityRow> {
  const from = dayNumber(day)! * DAY_MS
  const quality = openQualityCount()
  for (let after: TickCursor | undefined; ; ) {
    const query = { symbol, source, from, to: from + DAY_MS, limit: PAGE, ...(after && { after }) }
    const page = await store.range(query)
    for (const tick of page) quality.add(tick)
    if (page.length < PAGE) break
    after = page.at(-1)
  }
  return rowOf({ day, symbol, source }, quality, quarantined, now)
}

function rowOf(
  name: Name,
  quality: ReturnType<typeof openQualityCount>,
  quarantined: Readonly<Record<string, number>>,
  computedAt: number,
): QualityRow {
  const found = quality.result()
  const { ticks, gaps, maxGapMs, minSpread = null, avgSpread = null, maxSpread = null } = found
  const bad = Object.values(quarantined).reduce((sum, one) => sum + one, 0)
  const score = scoreOf(found, bad)
  return { ...name, ticks, gaps, maxGapMs, quarantined, minSpread, avgSpread, maxSpread, score, computedAt }
}

async function findRows(database: Database, days: readonly string[]): Promise<Map<string, QualityRow>> {
  const found = new Map<string, QualityRow>()
  for (let from = 0; from < days.length; from += DAYS_AT_ONCE) {
    const page = days.slice(from, from + DAYS_AT_ONCE)
    const rows = await database.read(async ({ sql, t }) =>
      sql.select().from(t.tickQuality).where(inArray(t.tickQuality.day, page)),
    )
    for (const row of rows) found.set(nameOf(row), row)
  }
  return found
}

interface Quarantined extends Name {
  readonly reasons: Record<string, number>
}

async function findQuarantined({ database, day, symbol }: QualityOptions) {
  const rows = await database.read(async ({ sql, t: { quarantine: q } }) => {
    const dayOf = raw<number | null>`${q.time} / 86400000`
    const from = day === undefined ? 0 : dayNumber(day)! * DAY_MS
    const within = day === undefined ? undefined : and(gte(q.time, from), lt(q.time, from + DAY_MS))
    return sql
      .select({ day: dayOf, symbol: q.symbol, source: q.source, reason: q.reason, count: count() })
      .from(q)
      .where(and(eq(q.kind, 'ticks'), within, symbol === undefined ? undefined : eq(q.symbol, symbol)))
      .groupBy(dayOf, q.symbol, q.source, q.reason)
  })
  const placed = new Map<string, Quarantined>()
  const unplaced: Record<string, number> = {}
  for (const row of rows) {
    if (row.day === null || row.symbol === null || row.source === null) {
      unplaced[row.reason] = (unplaced[row.reason] ?? 0) + row.count
      continue
    }
    // Postgres answers a quotient of int8 as text.
    const name = { day: dayName(Number(row.day)), symbol: row.symbol, source: row.source }
    const found = placed.get(nameOf(name)) ?? { ...name, reasons: {} }
    found.reasons[row.reason] = row.count
    placed.set(nameOf(name), found)
  }
  return { placed, unplaced }
}
