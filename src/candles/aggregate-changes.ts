// Longer bars follow shorter ones: each change of stored minutes, hours or days has the bars that are made of them
// computed again from what is stored now, so also a correction of the past reaches them.
import { checkOwnership } from '../bus/index.ts'
import { type CandleChange, candlesChanged } from '../catalog/index.ts'
import type { Tx } from '../db/index.ts'
import type { Task } from '../kernel/index.ts'
import { aggregate, type MadeInterval, madeOf } from './aggregate.ts'
import { storedBars } from './aggregate-stored.ts'
import { bucketEnd, bucketOf } from './bucket.ts'
import type { Interval } from './candle.ts'
import { TICK_INTERVALS } from './fold-bars.ts'
import { keepBars } from './keep-bars.ts'
import { type KeeperOptions, untilPassed } from './keep-candles.ts'

const DAY = 86_400_000
/** Read in one transaction: at most some ten thousand bars. */
const WINDOW_MS: Readonly<Partial<Record<Interval, number>>> = {
  '1m': 7 * DAY,
  '1h': 366 * DAY,
  '1D': 20 * 366 * DAY,
}

interface Range {
  readonly lower: Interval
  readonly higher: MadeInterval
  /** ms UTC: whole bars of the higher interval, `to` exclusive. */
  readonly from: number
  readonly to: number
}

export const aggregateChanges = (options: KeeperOptions): Task =>
  options.bus.consume({
    stream: candlesChanged,
    group: 'aggregator',
    order: 'key',
    async handle({ id, data }, { ownership, progress }) {
      // Whoever purges names the longer intervals as well.
      if (data.kind === 'purged') return
      for (const range of rangesOf(data)) {
        await untilPassed(() =>
          options.db.write(async (tx) => {
            if (ownership) await checkOwnership(tx, ownership)
            await makeRange(tx, data, range, `${id} ${range.higher} ${range.from}`, options)
          }),
        )
        options.nudge()
        progress()
      }
    },
  })

/** What has to be computed again, in pieces. */
export function rangesOf({ ranges, origin }: Pick<CandleChange, 'ranges' | 'origin'>): Range[] {
  const isBuilt = (interval: Interval) =>
    origin === 'ticks' && (TICK_INTERVALS as readonly Interval[]).includes(interval)
  return ranges.flatMap(({ interval: lower, from, to }) =>
    madeOf(lower)
      .filter((higher) => !isBuilt(higher))
      .flatMap((higher) => {
        const pieces: Range[] = []
        const last = bucketEnd(higher, to)
        for (let at = bucketOf(higher, from); at < last; ) {
          const end = Math.min(last, bucketEnd(higher, at + (WINDOW_MS[lower] ?? DAY) - 1))
          pieces.push({ lower, higher, from: at, to: end })
          at = end
        }
        return pieces
      }),
  )
}

async function makeRange(
  tx: Tx,
  { source, ticker }: CandleChange,
  { lower, higher, from, to }: Range,
  cause: string,
  { db: { driver }, clock }: KeeperOptions,
): Promise<void> {
  const bars = await storedBars(tx, { source, ticker, interval: lower }, from, to)
  const made = aggregate(bars, higher, 0).map(({ complete: _, ...bar }) => bar)
  await keepBars(tx, made, { driver, origin: 'bars', replaces: 'always', cause, at: clock.now() })
}
