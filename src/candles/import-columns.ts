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
  /** Lines of tickers that were let go because too many take turns in the file; not compared. */
  readonly left: number
}

export const addColumns = (one: ColumnCounts, other: ColumnCounts): ColumnCounts => ({
  compared: one.compared + other.compared,
  different: one.different + other.different,
  absent: one.absent + other.absent,
  left: one.left + other.left,
})

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

interface Tail {
  readonly time: number
  readonly close: readonly number[]
  readonly volume: readonly number[]
}

/** What a later batch goes on from. JSON. */
export interface SavedTails {
  /** The newest bars of the tickers that came last. */
  readonly tails: readonly (readonly [ticker: string, Tail])[]
  /** Had bars that are not known any more: their columns cannot be computed. */
  readonly gone: readonly string[]
}

export interface Tails {
  readonly tails: Map<string, Tail>
  readonly gone: Set<string>
}

export const openTails = (saved?: SavedTails): Tails => ({
  tails: new Map(saved?.tails),
  gone: new Set(saved?.gone),
})

export const saveTails = ({ tails, gone }: Tails): SavedTails => ({ tails: [...tails], gone: [...gone] })

// 8 kB each are saved with every batch.
const TAILS_MAX = 64

export const hasColumns = (fields: ReadonlyMap<string, string>): boolean => fields.has('ma10')

/** Undefined where the bar cannot be compared: it is not behind the one before. */
export function compareColumns(
  bar: Pick<Bar, 'ticker' | 'time' | 'close' | 'volume'>,
  fields: ReadonlyMap<string, string>,
  { tails, gone }: Tails,
): ColumnCounts | undefined {
  if (gone.has(bar.ticker)) return { compared: 0, different: 0, absent: 0, left: 1 }
  const tail = tails.get(bar.ticker) ?? { time: Number.NEGATIVE_INFINITY, close: [], volume: [] }
  if (bar.time <= tail.time) return undefined
  const close = [...tail.close, bar.close].slice(-LOOK_BACK)
  const volume = [...tail.volume, bar.volume].slice(-LOOK_BACK)
  // Behind the others: the one that came longest ago is let go, which in a file of one ticker after another has ended.
  tails.delete(bar.ticker)
  tails.set(bar.ticker, { time: bar.time, close, volume })
  if (tails.size > TAILS_MAX) {
    const [oldest] = tails.keys()
    tails.delete(oldest!)
    gone.add(oldest!)
  }
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
  return { compared, different, absent, left: 0 }
}

/** Rounded as the reference does, or in full as our own files. */
const isPrinted = (printed: string, value: number | undefined, format: (value: number) => string): boolean =>
  value === undefined ? printed === '' : printed === format(value) || Number(printed) === value
