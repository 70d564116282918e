// Longer bars follow shorter ones: each change of stored minutes, hours or days has the bars that are made of them
// computed again from what is stored now, so also a correction of the past reaches them.
import type { FoldOptions } from '../bus/index.ts'
import { type CandleChange, candlesChanged } from '../catalog/index.ts'
import type { Tx } from '../db/index.ts'
import { randomId } from '../kernel/index.ts'
import { aggregate, type MadeInterval, madeOf } from './aggregate.ts'
import { storedBars } from './aggregate-stored.ts'
import { bucketEnd, bucketOf } from './bucket.ts'
import type { Interval } from './candle.ts'
import { TICK_INTERVALS } from './fold-bars.ts'
import { keepBars } from './keep-bars.ts'
import type { KeeperOptions } from './keep-candles.ts'
import { settleAll } from './keep-settled.ts'
import { lockSeries } from './sql-write.ts'

const DAY = 86_400_000
/** Read in one transaction: at most some ten thousand bars. */
const WINDOW_MS: Readonly<Partial<Record<Interval, number>>> = {
  '1m': 7 * DAY,
  '1h': 366 * DAY,
  '1D': 20 * 366 * DAY,
}

interface Made {
  readonly source: string
  readonly ticker: string
  readonly lower: Interval
  readonly higher: MadeInterval
  /** ms UTC: whole bars of the higher interval, `to` exclusive. */
  from: number
  to: number
}

/** What has to be computed again, by series. JSON. */
export type AggregatorState = Record<string, Made>

/** Group `aggregator`. */
export function aggregateChanges(options: KeeperOptions): FoldOptions<CandleChange, AggregatorState> {
  const { clock, events } = options
  return {
    stream: candlesChanged,
    group: 'aggregator',
    start: () => ({}),
    apply(state, { data }) {
      // Whoever purges names the longer intervals as well.
      if (data.kind !== 'purged') for (const made of madeBy(data)) collect(state, made)
      return { events: [] }
    },
    save: (state) => JSON.stringify(state),
    load: (saved) => JSON.parse(saved) as AggregatorState,
    settle: settleAll<Made>({
      ...{ clock, events, where: 'database' },
      async write(series, signal) {
        for (const made of series) await makeSeries(made, options, signal)
      },
    }),
  }
}

/** The longer bars that a change reaches. */
function madeBy({ source, ticker, ranges, origin }: CandleChange): Made[] {
  const isBuilt = (interval: Interval) =>
    origin === 'ticks' && (TICK_INTERVALS as readonly Interval[]).includes(interval)
  return ranges.flatMap(({ interval: lower, from, to }) =>
    madeOf(lower)
      .filter((higher) => !isBuilt(higher))
      .map((higher) => ({
        ...{ source, ticker, lower, higher },
        ...{ from: bucketOf(higher, from), to: bucketEnd(higher, to) },
      })),
  )
}

function collect(state: AggregatorState, made: Made): void {
  const name = `${made.source}|${made.ticker}|${made.higher}`
  const known = state[name]
  if (known) {
    known.from = Math.min(known.from, made.from)
    known.to = Math.max(known.to, made.to)
  } else state[name] = made
}

async function makeSeries(
  made: Made,
  { db, clock, nudge }: KeeperOptions,
  signal: AbortSignal,
): Promise<void> {
  for (let at = made.from; at < made.to && !signal.aborted; ) {
    const to = Math.min(made.to, bucketEnd(made.higher, at + (WINDOW_MS[made.lower] ?? DAY) - 1))
    const window = { ...made, from: at, to }
    await db.write((tx) => makeWindow(tx, window, db.driver, clock.now()))
    nudge()
    at = to
  }
}

/** Locked before the shorter bars are read: of two that make the same bars, the later one has read the later ones. */
async function makeWindow(
  tx: Tx,
  { source, ticker, lower, higher, from, to }: Made,
  driver: KeeperOptions['db']['driver'],
  at: number,
): Promise<void> {
  await lockSeries(tx, driver, { source, ticker, interval: higher })
  const bars = await storedBars(tx, { source, ticker, interval: lower }, from, to)
  const made = aggregate(bars, higher, 0).map(({ complete: _, ...bar }) => bar)
  await keepBars(tx, made, { driver, origin: 'bars', replaces: 'always', cause: randomId(), at })
}
