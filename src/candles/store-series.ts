// Bars as every store takes them: checked, apart for each series, oldest first, the last of two with one time.
import { SluiceError } from '../kernel/index.ts'
import { bucketEnd, bucketOf } from './bucket.ts'
import { type Bar, type BarKey, INTERVALS } from './candle.ts'

export interface Series {
  readonly key: BarKey
  /** At least one, of different times. */
  readonly bars: readonly Bar[]
}

/** In an order that is the same for all writers, so that none of two waits for the other. Throws USAGE. */
export function seriesOf(bars: readonly Bar[]): Series[] {
  const lists = new Map<string, Bar[]>()
  let last: Bar[] | undefined
  for (const bar of bars) {
    // Mostly the same series as the bar before.
    if (!last || !isSameSeries(last[0]!, bar)) last = listOf(lists, bar)
    last.push(checked(bar))
  }
  return [...lists]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([, list]) => ({ key: keyOf(list[0]!), bars: lastOfEachTime(list) }))
}

const isSameSeries = (a: BarKey, b: BarKey) =>
  a.ticker === b.ticker && a.interval === b.interval && a.source === b.source

function listOf(lists: Map<string, Bar[]>, { source, ticker, interval }: BarKey): Bar[] {
  const name = `${source}\0${ticker}\0${interval}`
  const known = lists.get(name)
  if (known) return known
  const list: Bar[] = []
  lists.set(name, list)
  return list
}

export const keyOf = ({ source, ticker, interval }: BarKey): BarKey => ({ source, ticker, interval })

function lastOfEachTime(bars: Bar[]): Bar[] {
  if (bars.every((bar, i) => i === 0 || bars[i - 1]!.time < bar.time)) return bars
  const last = new Map(bars.map((bar) => [bar.time, bar]))
  return [...last.values()].sort((a, b) => a.time - b.time)
}

// Read from the 199 bars in front to the 199 behind, and those behind are written again; more bars make that overhead
// smaller, and columns of so many are made in 13 ms without a turn of the loop.
const BARS_AT_ONCE = 4_000
// Across a gap, everything that is stored between would be read: as many bars at most as are read around a stretch.
const GAP_BARS = 2 * 200
// Markets close at night and at weekends, and nothing lies there: longer gaps, as long as all of them together could
// hold so many bars for each given one. A week of four hours a day needs 7 (without: 230 bars at once of a Vietnamese
// share, and 440 written for them).
const GAPS_A_BAR = 8

/** Neighbours of a series that are worth reading together. One after another, they give what all at once would. */
export function stretchesOf({ key, bars }: Series): Bar[][] {
  const { time } = bars[0]!
  const barMs = bucketEnd(key.interval, time) - bucketOf(key.interval, time)
  const stretches: Bar[][] = []
  let stretch: Bar[] = []
  let before = time
  let gaps = 0
  for (const bar of bars) {
    const gap = (bar.time - before) / barMs
    if (gap > GAP_BARS) gaps += gap
    if (stretch.length === 0 || stretch.length === BARS_AT_ONCE || gaps > GAPS_A_BAR * stretch.length) {
      stretch = []
      stretches.push(stretch)
      gaps = 0
    }
    stretch.push(bar)
    before = bar.time
  }
  return stretches
}

const NUMBERS = ['open', 'high', 'low', 'close', 'volume'] as const
/** A line of CSV holds a ticker without quotes, and a folder can have both names. */
const NAMES = {
  source: { shape: /^[A-Za-z0-9][A-Za-z0-9_.~-]{0,63}$/, allowed: 'up to 64 letters, digits and _ . ~ -' },
  ticker: {
    shape: /^(?! )[^,"\p{Cc}\p{Cs}]{1,64}(?<! )$/u,
    allowed: 'up to 64 characters without commas, quotes and line breaks',
  },
} as const

export const isAllowed = (what: keyof typeof NAMES, name: string): boolean => NAMES[what].shape.test(name)

function checked(bar: Bar): Bar {
  const wrong = wrongIn(bar)
  if (wrong) {
    const { source, ticker, interval, time } = bar
    throw new SluiceError('USAGE', `A bar of ${source} ${ticker} ${interval} at ${time} has ${wrong}.`, {
      bar,
    })
  }
  // Neither database keeps a minus zero alike.
  const isPlain = NUMBERS.every((name) => !Object.is(bar[name], -0))
  return isPlain ? bar : { ...bar, ...Object.fromEntries(NUMBERS.map((name) => [name, bar[name] + 0])) }
}

function wrongIn(bar: Bar): string | undefined {
  if (!Number.isSafeInteger(bar.time)) return 'a time that is no whole number of ms'
  for (const name of NUMBERS)
    if (!Number.isFinite(bar[name])) return `the ${name} ${bar[name]}, which is no number`
  if (!INTERVALS.includes(bar.interval)) return `an interval that is none of ${INTERVALS.join(', ')}`
  for (const name of ['source', 'ticker'] as const) {
    if (!isAllowed(name, bar[name])) return `a ${name} that is not allowed; allowed: ${NAMES[name].allowed}`
  }
  return undefined
}
