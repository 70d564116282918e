// `sluice candles`: what is kept, for a person and for programs, and building it again.
import { join } from 'node:path'
import {
  type BuiltTick,
  type Candle,
  type CandleReader,
  type CandleStore,
  CSV_HEADER,
  candleLine,
  INTERVALS,
  type Interval,
  openCsvCandles,
  openSqlCandles,
  type Rebuilt,
  rebuildCandles,
  type SqlCandlesOptions,
  TICK_INTERVALS,
  type TickInterval,
  tellChange,
  withMade,
} from '../candles/index.ts'
import { candleVenue } from '../catalog/index.ts'
import { isoTime, randomId, SluiceError, systemClock } from '../kernel/index.ts'
import type { Platform } from '../platform.ts'
import { spilledFiles, type Tick, type TickStore } from '../ticks/index.ts'
import { beginFeatures } from './begin-features.ts'
import { confirm } from './confirm.ts'
import { withPlatform } from './connection.ts'
import { momentOf } from './moment.ts'
import { type Terminal, table } from './terminal.ts'

export interface CandleGetOptions {
  readonly json?: boolean
  readonly source?: string
  readonly interval: string
  readonly from?: string
  readonly to?: string
  readonly limit: number
  readonly format: string
}

export interface CandleRebuildOptions {
  readonly json?: boolean
  readonly source: string
  readonly from: string
  readonly to?: string
  readonly interval?: string
}

export interface CandlePurgeOptions {
  readonly json?: boolean
  readonly source: string
  readonly interval: string
  readonly yes?: boolean
}

/** Throws USAGE for a format or an interval that there is not, and where the source has to be named. */
export async function getCandles(
  ticker: string,
  options: CandleGetOptions,
  terminal: Terminal,
): Promise<void> {
  const { from, to, limit, format } = options
  if (!['table', 'csv', 'jsonl'].includes(format)) {
    throw new SluiceError('USAGE', `format is ${JSON.stringify(format)}; allowed: table, csv, jsonl.`)
  }
  if (limit > LIMIT_MAX) {
    const message = `limit is ${limit}; allowed: 1 to ${LIMIT_MAX}. Ask for more in pieces: --from, --to.`
    throw new SluiceError('USAGE', message)
  }
  const interval = intervalOf(options.interval, INTERVALS)
  const range = {
    ...(from !== undefined && { from: momentOf('from', from) }),
    ...(to !== undefined && { to: momentOf('to', to) }),
  }
  const candles = await withPlatform(async (platform) => {
    const store = await answering(platform)
    const source = options.source ?? (await onlySource(store, ticker, interval))
    return source === undefined ? [] : store.range({ source, ticker, interval, ...range, limit })
  })
  if (terminal.json || format === 'jsonl')
    for (const candle of candles) terminal.line(JSON.stringify(jsonOf(candle)))
  else if (format === 'csv') terminal.line([CSV_HEADER, ...candles.map(candleLine)].join('\n'))
  else terminal.result(candles, () => candleTable(candles, ticker))
}

/** As in the gateway: the database, and while a cut-over is under way the store of its phase. */
async function answering({ database, clock, config, cutover }: Platform): Promise<CandleReader> {
  if (config.CANDLES_BACKEND !== 'dual') return openSqlCandles({ database, clock })
  await cutover.ready()
  if (cutover.reads('candles') === 'current') return openSqlCandles({ database, clock })
  return openCsvCandles({ dir: join(config.DATA_DIR, 'candles'), clock })
}

// 2 kB each in memory: 1.5 million took 3 GB and more than a minute.
const LIMIT_MAX = 100_000

const jsonOf = ({ time, ...candle }: Candle) => ({ ...candle, time: isoTime(time) })

function intervalOf<T extends Interval>(text: string, allowed: readonly T[]): T {
  const interval = allowed.find((one) => one === text)
  if (interval) return interval
  throw new SluiceError('USAGE', `interval is ${JSON.stringify(text)}; allowed: ${allowed.join(', ')}.`)
}

const intervalsOf = <T extends Interval>(list: string, allowed: readonly T[]): T[] =>
  list.split(',').map((text) => intervalOf(text.trim(), allowed))

async function onlySource(
  store: Pick<CandleReader, 'sources'>,
  ticker: string,
  interval: Interval,
): Promise<string | undefined> {
  const sources = await store.sources(ticker, interval)
  if (sources.length < 2) return sources[0]
  throw new SluiceError(
    'USAGE',
    `Several sources have ${ticker} ${interval}: --source ${sources.join(', ')}.`,
    { sources },
  )
}

const HEADERS = ['time', 'open', 'high', 'low', 'close', 'volume', 'ma20', 'ma200', 'change %']

function candleTable(candles: readonly Candle[], ticker: string): string {
  if (candles.length === 0) return `nothing of ${ticker} there`
  const { source, interval } = candles[0]!
  const short = (value: number | undefined) => (value === undefined ? '' : Number(value.toPrecision(10)))
  const rows = candles.map((candle) => [
    isoTime(candle.time).slice(0, 16),
    ...[candle.open, candle.high, candle.low, candle.close, candle.volume].map(short),
    ...[short(candle.ma20), short(candle.ma200)],
    candle.closeChanged === undefined ? '' : candle.closeChanged.toFixed(4),
  ])
  return `${ticker} ${interval} of ${source}\n${table(HEADERS, rows)}`
}

/** Throws USAGE, and TICKS_WAITING while ticks wait in spill files: bars made without them would be final. */
export async function rebuild(
  ticker: string,
  options: CandleRebuildOptions,
  terminal: Terminal,
): Promise<void> {
  const { source, interval } = options
  const from = momentOf('from', options.from)
  const to = options.to === undefined ? systemClock.now() : momentOf('to', options.to)
  const intervals: readonly TickInterval[] =
    interval === undefined ? TICK_INTERVALS : intervalsOf(interval, TICK_INTERVALS)
  const rebuilt = await withPlatform(async (platform) => {
    const { database: db, clock, config, cutover } = platform
    await beginFeatures(platform, 'ticks', 'candles')
    if (config.TICKS_BACKEND === 'dual') await cutover.ready()
    demandNothingSpilled(config.TICKS_DIR)
    const ticks = (begin: number, end: number) => ticksOf(platform.ticks, source, ticker, begin, end)
    return rebuildCandles({ db, clock, source, ticker, from, to, intervals, ticks, run: randomId() })
  })
  terminal.result(rebuilt, () => sentenceOf(ticker, rebuilt))
}

function demandNothingSpilled(dir: string): void {
  const files = spilledFiles(dir)
  if (files.length === 0) return
  const message = `${files.length} spill files of ticks wait to be stored, the first is ${files[0]}.`
  throw new SluiceError('TICKS_WAITING', message, { files: files.length })
}

function sentenceOf(
  ticker: string,
  { ticks, bars, stored, changed, unchanged, growing, ending }: Rebuilt,
): string {
  if (ticks === 0) return `no ticks of ${ticker} are stored there: sluice ticks stats`
  const made = `${ticks} ticks made ${bars} bars of ${ticker}: ${stored} new, ${changed} changed, ${unchanged} as they were`
  const left = [
    ...(growing > 0 ? [`${growing} still grow`] : []),
    ...(ending > 0 ? [`${ending} ended less than five minutes ago`] : []),
  ]
  if (left.length === 0) return made
  return `${made}; left as they are, because no fewer ticks have made what is stored: ${left.join(', ')}`
}

/**
 * With the intervals that are made of these, and in both stores: the files first, so that a purge that was killed in
 * between is found by the next one. Whoever follows the candles is told. Throws USAGE.
 */
export async function purge(ticker: string, options: CandlePurgeOptions, terminal: Terminal): Promise<void> {
  const { source, yes = false } = options
  const intervals = withMade(intervalsOf(options.interval, INTERVALS))
  await withPlatform(async ({ database, clock, config }) => {
    const onChanged: SqlCandlesOptions['onChanged'] = (tx, change) =>
      tellChange(tx, change, 'files', clock.now())
    const store = openSqlCandles({ database, clock, onChanged })
    const files = openCsvCandles({ dir: join(config.DATA_DIR, 'candles'), clock })
    const barsIn = async (one: CandleStore) =>
      (await one.keys(source, ticker)).filter((key) => intervals.includes(key.interval))
    const [rows, lines] = [await barsIn(store), await barsIn(files)]
    if (rows.length + lines.length === 0) return terminal.result({ purged: 0 }, `nothing of ${ticker} there`)
    const names = INTERVALS.filter((one) => [...rows, ...lines].some(({ interval }) => interval === one))
    const counted = `${sumOf(rows)} candles of ${source} ${ticker} (${names.join(', ')})`
    const inFiles = lines.length > 0 ? ` and ${sumOf(lines)} in files` : ''
    if (!(await confirm(`Delete ${counted}${inFiles}?`, yes))) return terminal.note('nothing was changed')
    if (lines.length > 0) await files.purge(source, ticker, intervals)
    await files.close()
    const purged = await store.purge(source, ticker, intervals)
    terminal.result({ purged, intervals: names }, `${purged} candles deleted (${names.join(', ')})`)
  })
}

const sumOf = (keys: readonly { bars: number }[]) => keys.reduce((sum, { bars }) => sum + bars, 0)

const PAGE = 10_000
const SIMULATED = 1

async function* ticksOf(
  store: TickStore,
  source: string,
  symbol: string,
  from: number,
  to: number,
): AsyncGenerator<BuiltTick> {
  const { venue, simulated } = candleVenue(source)
  const query = { symbol, source: venue, from, to, limit: PAGE }
  for (let after: Tick | undefined; ; ) {
    const page = await store.range({ ...query, ...(after && { after }) })
    for (const tick of page) if (((tick.flags & SIMULATED) !== 0) === simulated) yield tick
    if (page.length < PAGE) return
    after = page.at(-1)
  }
}
