// Who takes part in bench/candles.ts. Each answers one figure: ms for a query, or rows a second.
import { readFile } from 'node:fs/promises'
import type { Candle } from '../src/candles/candle.ts'
import { parseTime } from '../src/candles/format-time.ts'
import { candlesOf, clock, dayTime, minuteBars, minuteTime, type Side, type Stage } from './candles-stage.ts'

/** A month of days, or a day of minutes: 22 and 240 rows. */
export const WINDOWS = {
  days: { ticker: 'DAYS', interval: '1D', rows: 22, timeOf: dayTime, count: 2_700, stepMs: 86_400_000 },
  minutes: {
    ticker: 'MINUTES',
    interval: '1m',
    rows: 240,
    timeOf: minuteTime,
    count: 62_400,
    stepMs: 60_000,
  },
} as const
export type WindowName = keyof typeof WINDOWS

async function perQuery(
  name: WindowName,
  times: number,
  query: (from: number, to: number) => Promise<{ length: number }>,
): Promise<number> {
  const { rows, timeOf, count, stepMs } = WINDOWS[name]
  const beganAt = clock.monotonic()
  for (let i = 0; i < times; i++) {
    // At places all over the series; a window begins with a month or a day.
    const first = Math.floor((i * 37) % (count / rows - 1)) * rows
    const found = await query(timeOf(first), timeOf(first + rows - 1) + stepMs)
    if (found.length !== rows) throw new Error(`${found.length} rows instead of ${rows}`)
  }
  return (clock.monotonic() - beganAt) / times
}

export const query = ({ store }: Side, name: WindowName) => {
  const { ticker, interval } = WINDOWS[name]
  return perQuery(name, 200, (from, to) => store.range({ source: 'vn', ticker, interval, from, to }))
}

/** As the reference does it: every row is read, and those in the range are kept. */
export const scan = ({ files }: Stage, name: WindowName) =>
  perQuery(name, name === 'days' ? 10 : 2, async (from, to) => {
    const lines = (await readFile(files[name], 'utf8')).trimEnd().split('\n').slice(1)
    return lines.map(rowOf).filter(({ time }) => time >= from && time < to)
  })

function rowOf(line: string) {
  const [ticker, time, ...numbers] = line.split(',')
  return {
    ticker,
    time: parseTime(time!)!,
    numbers: numbers.map((text) => (text === '' ? undefined : Number(text))),
  }
}

/** The least that a scan can do: times are compared as texts, and only rows in the range are read. */
export const leanScan = ({ files }: Stage, name: WindowName) =>
  perQuery(name, name === 'days' ? 20 : 4, async (from, to) => {
    const length = name === 'days' ? 10 : 19
    const [first, last] = [from, to].map((time) => new Date(time).toISOString().slice(0, length)) as [
      string,
      string,
    ]
    const prefix = WINDOWS[name].ticker.length + 1
    const lines = (await readFile(files[name], 'latin1')).trimEnd().split('\n').slice(1)
    const inRange = (line: string) => {
      const time = line.slice(prefix, prefix + length)
      return time >= first && time < last
    }
    return lines.filter(inRange).map(rowOf)
  })

const ROWS = 20_000
/** As many come at once from an import. */
const BATCH = 4_000

async function perSecond(work: (from: number) => Promise<unknown>): Promise<number> {
  const beganAt = clock.monotonic()
  for (let from = 0; from < ROWS; from += BATCH) await work(from)
  return ROWS / ((clock.monotonic() - beganAt) / 1_000)
}

export function write({ store }: Side, stage: Stage): Promise<number> {
  const bars = minuteBars(ROWS, stage.ticker())
  return perSecond((from) => store.write(bars.slice(from, from + BATCH)))
}

/** Every bar with another close: all rows are read, compared and replaced. */
export async function correct({ store }: Side, stage: Stage): Promise<number> {
  const bars = minuteBars(ROWS, stage.ticker())
  for (let from = 0; from < ROWS; from += BATCH) await store.write(bars.slice(from, from + BATCH))
  const corrected = bars.map((bar) => ({ ...bar, close: bar.close + 1 }))
  return perSecond((from) => store.write(corrected.slice(from, from + BATCH)))
}

const COLUMNS = [
  ...['source', 'ticker', 'interval', 'time', 'open', 'high', 'low', 'close', 'volume'],
  ...['ma10', 'ma20', 'ma50', 'ma100', 'ma200'],
  ...['ma10_score', 'ma20_score', 'ma50_score', 'ma100_score', 'ma200_score'],
  ...['close_changed', 'volume_changed', 'total_money_changed', 'updated_at'],
]
const namesOf = (candle: Candle): (string | number | null)[] => [
  ...[candle.source, candle.ticker, candle.interval, candle.time],
  ...[candle.open, candle.high, candle.low, candle.close, candle.volume],
  ...[candle.ma10, candle.ma20, candle.ma50, candle.ma100, candle.ma200].map((value) => value ?? null),
  ...[candle.ma10Score, candle.ma20Score, candle.ma50Score, candle.ma100Score, candle.ma200Score].map(
    (v) => v ?? null,
  ),
  ...[candle.closeChanged ?? null, candle.volumeChanged ?? null, candle.totalMoneyChanged ?? null, 0],
]
const INSERT = `insert into candles (${COLUMNS}) values`

/** Rows that are ready, one prepared insert for each, without a look at what is there. */
export function rawSqlite(stage: Stage): Promise<number> {
  const rows = candlesOf(minuteBars(ROWS, stage.ticker())).map(namesOf)
  const insert = stage.rawSqlite.prepare(`${INSERT} (${COLUMNS.map(() => '?')})`)
  return perSecond(async (from) => {
    stage.rawSqlite.exec('begin immediate')
    for (const row of rows.slice(from, from + BATCH)) insert.run(...row)
    stage.rawSqlite.exec('commit')
  })
}

export function rawPostgres(stage: Stage): Promise<number> {
  const rows = candlesOf(minuteBars(ROWS, stage.ticker())).map(namesOf)
  const text = `${INSERT} (${COLUMNS.map((_, i) => `$${i + 1}`)})`
  return perSecond(async (from) => {
    await stage.rawPostgres.query('begin')
    for (const values of rows.slice(from, from + BATCH)) {
      await stage.rawPostgres.query({ name: 'insert-candle', text, values })
    }
    await stage.rawPostgres.query('commit')
  })
}

/** One statement for many rows, each column one array of texts. */
export function rawUnnest(stage: Stage): Promise<number> {
  const rows = candlesOf(minuteBars(ROWS, stage.ticker())).map(namesOf)
  const type = (i: number) => (i < 3 ? 'text' : i === 3 || i === COLUMNS.length - 1 ? 'bigint' : 'float8')
  const arrays = COLUMNS.map((_, i) => `$${i + 1}::${type(i)}[]`)
  const text = `insert into candles (${COLUMNS}) select * from unnest(${arrays})`
  return perSecond(async (from) => {
    const page = rows.slice(from, from + BATCH)
    const values = COLUMNS.map((_, i) => `{${page.map((row) => row[i] ?? 'NULL').join(',')}}`)
    await stage.rawPostgres.query({ name: 'insert-candles', text, values })
  })
}
