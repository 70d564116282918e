// The 13 columns that a file has beside its bars are not stored: they are computed again from the closes of the file
// and compared with what is printed, because the program that wrote them computed some from too few bars.
import type { Bar, Indicators } from './candle.ts'
import { formatMoney, formatPercent, formatPrice } from './format-number.ts'
import { indicatorsAt, LOOK_BACK } from './indicators.ts'

export interface ColumnCounts {
  /** Cells. */
  readonly compared: number
  /** Printed, and otherwise than they come out. */
  readonly different: number
  /** Empty where there are bars enough. */
  readonly absent: number
}

const COLUMNS: Readonly<Record<string, { of: keyof Indicators; format: (value: number) => string }>> = {
  ma10: { of: 'ma10', format: formatPrice },
  ma20: { of: 'ma20', format: formatPrice },
  ma50: { of: 'ma50', format: formatPrice },
  ma100: { of: 'ma100', format: formatPrice },
  ma200: { of: 'ma200', format: formatPrice },
  ma10_score: { of: 'ma10Score', format: formatPercent },
  ma20_score: { of: 'ma20Score', format: formatPercent },
  ma50_score: { of: 'ma50Score', format: formatPercent },
  ma100_score: { of: 'ma100Score', format: formatPercent },
  ma200_score: { of: 'ma200Score', format: formatPercent },
  close_changed: { of: 'closeChanged', format: formatPercent },
  volume_changed: { of: 'volumeChanged', format: formatPercent },
  total_money_changed: { of: 'totalMoneyChanged', format: formatMoney },
}

/** The newest bars of each ticker, as JSON that a later batch goes on from. */
export type Tails = Record<string, { time: number; close: number[]; volume: number[] }>

// 8 kB each are saved with every batch.
const TAILS_MAX = 64

export const hasColumns = (fields: ReadonlyMap<string, string>): boolean => fields.has('ma10')

/** Undefined where the bar cannot be compared: it is not behind the one before. */
export function compareColumns(
  bar: Pick<Bar, 'ticker' | 'time' | 'close' | 'volume'>,
  fields: ReadonlyMap<string, string>,
  tails: Tails,
): ColumnCounts | undefined {
  const tail = tails[bar.ticker] ?? { time: Number.NEGATIVE_INFINITY, close: [], volume: [] }
  if (bar.time <= tail.time) return undefined
  const close = [...tail.close, bar.close].slice(-LOOK_BACK)
  const volume = [...tail.volume, bar.volume].slice(-LOOK_BACK)
  tails[bar.ticker] = { time: bar.time, close, volume }
  const [oldest] = Object.keys(tails)
  if (Object.keys(tails).length > TAILS_MAX) delete tails[oldest!]
  return countCells(indicatorsAt({ close, volume }, close.length - 1), fields)
}

function countCells(computed: Indicators, fields: ReadonlyMap<string, string>): ColumnCounts {
  let [compared, different, absent] = [0, 0, 0]
  for (const [name, { of, format }] of Object.entries(COLUMNS)) {
    const printed = fields.get(name)
    if (printed === undefined) continue
    compared += 1
    const value = computed[of]
    if (printed === '' && value !== undefined) absent += 1
    else if (!isPrinted(printed, value, format)) different += 1
  }
  return { compared, different, absent }
}

/** Rounded as the reference does, or in full as our own files. */
const isPrinted = (printed: string, value: number | undefined, format: (value: number) => string): boolean =>
  value === undefined ? printed === '' : printed === format(value) || Number(printed) === value
