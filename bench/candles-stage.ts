// What the contestants of bench/candles.ts share: both databases, ten years of days and one year of minutes in them, and
// the same as files in the reference's 20 rounded columns.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import SqliteFile from 'better-sqlite3'
import pg from 'pg'
import type { Bar, Candle, Interval } from '../src/candles/candle.ts'
import { CSV_HEADER } from '../src/candles/csv-row.ts'
import { formatMoney, formatPercent, formatPrice } from '../src/candles/format-number.ts'
import { formatTime } from '../src/candles/format-time.ts'
import { openSqlCandles, type SqlCandles } from '../src/candles/index.ts'
import { indicatorsAt } from '../src/candles/indicators.ts'
import { type Database, type DatabaseOptions, migrate, openDatabase } from '../src/db/index.ts'
import { systemClock } from '../src/kernel/index.ts'
import { startPostgres } from '../test/support/postgres-server.ts'

export const clock = systemClock
const DAY = 86_400_000
const MINUTE = 60_000
const SESSION_MINUTES = 240

export const DAYS = 2_700
const MINUTE_DAYS = 260

/** A market's price that walks, in VND; the same for every run. */
function walk(
  count: number,
  key: { ticker: string; interval: Interval },
  timeOf: (i: number) => number,
): Bar[] {
  let price = 20_000
  return Array.from({ length: count }, (_, i) => {
    const open = price
    price = Math.round(price * (1 + Math.sin(i * 12.9898) * 0.01) * 100) / 100
    const [low, high] = [Math.min(open, price) - 50, Math.max(open, price) + 50]
    return {
      source: 'vn',
      ...key,
      time: timeOf(i),
      open,
      high,
      low,
      close: price,
      volume: 100_000 + ((i * 7919) % 900_000),
    }
  })
}

export const dayTime = (i: number) => Date.UTC(2015, 0, 5) + i * DAY
/** Four hours of each day. */
export const minuteTime = (i: number) =>
  Date.UTC(2024, 0, 1, 2) + Math.floor(i / SESSION_MINUTES) * DAY + (i % SESSION_MINUTES) * MINUTE

export const minuteBars = (count: number, ticker: string) =>
  walk(count, { ticker, interval: '1m' }, minuteTime)

export function candlesOf(bars: readonly Bar[]): Candle[] {
  const columns = { close: bars.map(({ close }) => close), volume: bars.map(({ volume }) => volume) }
  return bars.map((bar, i) => ({ ...bar, ...indicatorsAt(columns, i) }))
}

function writeFile(path: string, candles: readonly Candle[]): string {
  const text = (value: number | undefined, format: (value: number) => string) =>
    value === undefined ? '' : format(value)
  const lines = candles.map((one) => [
    ...[one.ticker, formatTime(one.interval, one.time)],
    ...[one.open, one.high, one.low, one.close].map(formatPrice),
    one.volume,
    ...[one.ma10, one.ma20, one.ma50, one.ma100, one.ma200].map((value) => text(value, formatPrice)),
    ...[one.ma10Score, one.ma20Score, one.ma50Score, one.ma100Score, one.ma200Score].map((value) =>
      text(value, formatPercent),
    ),
    ...[text(one.closeChanged, formatPercent), text(one.volumeChanged, formatPercent)],
    text(one.totalMoneyChanged, formatMoney),
  ])
  writeFileSync(path, `${[CSV_HEADER, ...lines.map((fields) => fields.join(','))].join('\n')}\n`)
  return path
}

export interface Side {
  readonly database: Database
  readonly store: SqlCandles
}

export interface Stage {
  readonly sqlite: Side
  readonly postgres: Side
  /** The bare drivers on the same databases. */
  readonly rawSqlite: SqliteFile.Database
  readonly rawPostgres: pg.Client
  readonly files: { readonly days: string; readonly minutes: string }
  /** A ticker that nobody has used. */
  ticker(): string
  close(): Promise<void>
}

export async function openStage(): Promise<Stage> {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-bench-'))
  mkdirSync(join(folder, 'files'))
  const server = await startPostgres()
  const open = async (options: DatabaseOptions): Promise<Side> => {
    await migrate(options)
    const database = openDatabase(options)
    return { database, store: openSqlCandles({ database, clock }) }
  }
  const path = join(folder, 'sluice.db')
  const sqlite = await open({ driver: 'sqlite', path, clock })
  const postgres = await open({ driver: 'postgres', url: server.url, clock })
  const days = walk(DAYS, { ticker: 'DAYS', interval: '1D' }, dayTime)
  const minutes = minuteBars(MINUTE_DAYS * SESSION_MINUTES, 'MINUTES')
  for (const { store } of [sqlite, postgres]) for (const bars of [days, minutes]) await store.write(bars)
  const rawSqlite = new SqliteFile(path)
  rawSqlite.pragma('synchronous = FULL')
  const rawPostgres = new pg.Client({ connectionString: server.url })
  await rawPostgres.connect()
  let tickers = 0
  return {
    ...{ sqlite, postgres, rawSqlite, rawPostgres },
    files: {
      days: writeFile(join(folder, 'files/1D.csv'), candlesOf(days)),
      minutes: writeFile(join(folder, 'files/1m.csv'), candlesOf(minutes)),
    },
    ticker: () => `T${tickers++}`,
    async close() {
      rawSqlite.close()
      await rawPostgres.end()
      await sqlite.database.close()
      await postgres.database.close()
      await server.stop()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}
