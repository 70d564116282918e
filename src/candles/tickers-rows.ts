// Candles in the shapes of the reference: 20 fields, rounded as its files are, JSON without the columns that are not
// there and CSV with empty ones. Its answers call the ticker `symbol`.
import type { Candle, Indicators } from './candle.ts'
import { formatMoney, formatPercent, formatPrice } from './format-number.ts'
import { formatTime } from './format-time.ts'
import type { TickersRequest } from './tickers-query.ts'
import type { TickersFound } from './tickers-read.ts'
import { isIndex, shifted } from './units.ts'

const MEANS = ['ma10', 'ma20', 'ma50', 'ma100', 'ma200'] as const
const PERCENTS = {
  ma10_score: 'ma10Score',
  ma20_score: 'ma20Score',
  ma50_score: 'ma50Score',
  ma100_score: 'ma100Score',
  ma200_score: 'ma200Score',
  close_changed: 'closeChanged',
  volume_changed: 'volumeChanged',
} as const satisfies Record<string, keyof Indicators>
const PRICES = ['open', 'high', 'low', 'close'] as const

export const TICKERS_HEADER = [
  ...['symbol', 'time', ...PRICES, 'volume', ...MEANS],
  ...Object.keys(PERCENTS),
  'total_money_changed',
] as const

type Row = Record<string, string | number>

function rowOf(candle: Candle, { legacy, mode }: TickersRequest): Row {
  const { ticker, interval } = candle
  const power = legacy && mode === 'vn' && !isIndex(ticker) ? -3 : 0
  const price = (value: number) => shifted(formatPrice(value), power)
  const row: Row = { time: formatTime(interval, candle.time, legacy ? ' ' : 'T') }
  for (const name of PRICES) row[name] = price(candle[name])
  row['volume'] = candle.volume
  row['symbol'] = ticker
  for (const name of MEANS) {
    const mean = candle[name]
    if (mean !== undefined) row[name] = price(mean)
  }
  for (const [name, of] of Object.entries(PERCENTS)) {
    const value = candle[of]
    if (value !== undefined) row[name] = Number(formatPercent(value))
  }
  const money = candle.totalMoneyChanged
  if (money !== undefined) row['total_money_changed'] = Number(formatMoney(money))
  return row
}

/** Gives others a turn; rejects when nobody waits for the answer any more. */
export type Turn = () => Promise<void>

// 250,000 rows in one piece held the loop for 3.8 s (2 busy cores); so many are 18 ms, and putting all together 0.2 s.
const ROWS_A_TURN = 1_000

async function textsOf(
  candles: readonly Candle[],
  request: TickersRequest,
  turn: Turn,
  textOf: (row: Row) => string,
): Promise<string[]> {
  const texts: string[] = []
  for (const candle of candles) {
    texts.push(textOf(rowOf(candle, request)))
    if (texts.length % ROWS_A_TURN === 0) await turn()
  }
  return texts
}

/** A map of the tickers to their rows, oldest first; one of which there are none has no rows. */
export async function tickersJson(found: TickersFound, request: TickersRequest, turn: Turn): Promise<string> {
  // A ticker may be called `__proto__`, or 1, which an object would move to the front.
  const members: string[] = []
  for (const name of [...found.keys()].sort()) {
    const rows = await textsOf(found.get(name)!, request, turn, (row) => JSON.stringify(row))
    members.push(`${JSON.stringify(name)}:[${rows.join(',')}]`)
  }
  return `{${members.join(',')}}`
}

export async function tickersCsv(found: TickersFound, request: TickersRequest, turn: Turn): Promise<string> {
  const lines = [TICKERS_HEADER.join(',')]
  for (const name of [...found.keys()].sort()) {
    const rows = await textsOf(found.get(name)!, request, turn, (row) =>
      TICKERS_HEADER.map((column) => row[column] ?? '').join(','),
    )
    for (const row of rows) lines.push(row)
  }
  return `${lines.join('\n')}\n`
}
