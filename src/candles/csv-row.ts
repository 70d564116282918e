// A candle as a line of the reference's 20 columns. Numbers are written in full and not rounded as the reference did:
// only then is a file the same candles as the database, and indicators computed from its closes are exact. Rounding
// is for answers (tickers.ts).
import { SluiceError } from '../kernel/index.ts'
import type { BarKey, Candle, Indicators } from './candle.ts'
import { formatTime, parseTime } from './format-time.ts'
import { INDICATORS } from './store-merge.ts'

const PRICES = ['open', 'high', 'low', 'close', 'volume'] as const

export const CSV_COLUMNS = [
  ...['ticker', 'time', ...PRICES],
  ...['ma10', 'ma20', 'ma50', 'ma100', 'ma200'],
  ...['ma10_score', 'ma20_score', 'ma50_score', 'ma100_score', 'ma200_score'],
  ...['close_changed', 'volume_changed', 'total_money_changed'],
] as const
export const CSV_HEADER = CSV_COLUMNS.join(',')

/** Equal candles have equal lines, and other candles others. */
export function candleLine(candle: Candle): string {
  const { ticker, interval, time } = candle
  let line = `${ticker},${formatTime(interval, time)}`
  for (const name of PRICES) line += `,${candle[name]}`
  for (const name of INDICATORS) line += `,${candle[name] ?? ''}`
  return line
}

/** @param where names the file in the error. Throws DATABASE_INVALID. */
export function candleOfLine(line: string, key: BarKey, where: string): Candle {
  const fields = line.split(',')
  const time = parseTime(fields[1] ?? '')
  const numbers = fields.slice(2).map((field) => (field === '' ? undefined : Number(field)))
  const [open, high, low, close, volume, ...indicators] = numbers
  const isWhole =
    fields.length === CSV_COLUMNS.length && numbers.every((n) => n === undefined || Number.isFinite(n))
  const areKnown = ![time, open, high, low, close, volume].includes(undefined)
  if (!isWhole || !areKnown || fields[0] !== key.ticker) {
    const message = `${where} has a line that is no candle of ${key.ticker}: ${JSON.stringify(line.slice(0, 200))}.`
    throw new SluiceError('DATABASE_INVALID', message, { path: where })
  }
  const computed: Partial<Record<keyof Indicators, number | undefined>> = {}
  for (const [i, name] of INDICATORS.entries()) computed[name] = indicators[i]
  const bar = { ...key, time: time!, open: open!, high: high!, low: low!, close: close!, volume: volume! }
  return { ...bar, ...(computed as Indicators) }
}
