// Bars into the database, and the change told through the outbox of the same transaction. Every writer of bars goes
// this way: files, longer bars and caches follow the stream and not the writer.
import { enqueue, enqueueTell, type Outgoing, outgoing } from '../bus/index.ts'
import { encodeDrops } from '../cache/index.ts'
import { CACHE_DROPS, type CandleChange, candleDrops, candlesChanged } from '../catalog/index.ts'
import { and, type Driver, eq, inArray, type Tx } from '../db/index.ts'
import { deriveId, randomId } from '../kernel/index.ts'
import type { Bar, CandlesWritten } from './candle.ts'
import { type CandlesChanged, lockSeries, writeBars } from './sql-write.ts'
import { seriesOf } from './store-series.ts'

export interface KeepOptions {
  readonly driver: Driver
  readonly origin: CandleChange['origin']
  /**
   * `more ticks`: a stored bar is replaced only by one that more ticks have made, so that what is delivered late, again
   * or by a fold that had to begin anew never overwrites something newer; one that a rebuild has made is not replaced,
   * because of the ticks that the gate has put aside, the stream knows more. `always`: what comes is right.
   */
  readonly replaces: 'more ticks' | 'always'
  /** What the ids of the changes are derived from: the entry, or the run of a command. */
  readonly cause: string
  /** ms UTC. */
  readonly at: number
}

export interface Kept extends CandlesWritten {
  /** Were not written because what is stored has as many ticks or more, or was made by a rebuild. */
  readonly older: number
}

/** Whoever keeps bars calls it first, once for all of them: nobody else writes to their series until the end. */
export async function lockBars(tx: Tx, driver: Driver, bars: readonly Bar[]): Promise<void> {
  for (const { key } of seriesOf(bars)) await lockSeries(tx, driver, key)
}

/** Of two bars with one key the later counts, or the one with more ticks. */
export async function keepBars(tx: Tx, bars: readonly Bar[], options: KeepOptions): Promise<Kept> {
  const { driver, replaces, at } = options
  const kept = replaces === 'always' ? bars : await withMoreTicks(tx, bars)
  const older = bars.length - kept.length
  if (kept.length === 0) return { stored: 0, changed: 0, unchanged: 0, older }
  const { changes, ...written } = await writeBars(tx, driver, kept, at)
  await tell(tx, changes, options)
  return { ...written, older }
}

/** Changes that other writers tell of, as the SQL store names them. */
export const tellChange = (tx: Tx, change: CandlesChanged, origin: CandleChange['origin'], at: number) =>
  tell(tx, [change], { origin, at, cause: randomId() })

/** To who follows, and to who keeps answers. */
async function tell(
  tx: Tx,
  changes: readonly CandlesChanged[],
  options: Pick<KeepOptions, 'origin' | 'cause' | 'at'>,
): Promise<void> {
  await enqueue(tx, eventsOf(changes, options))
  if (changes.length > 0) await enqueueTell(tx, CACHE_DROPS, encodeDrops(candleDrops(changes)))
}

export const addKept = (one: Kept, other: Kept): Kept => ({
  stored: one.stored + other.stored,
  changed: one.changed + other.changed,
  unchanged: one.unchanged + other.unchanged,
  older: one.older + other.older,
})

type Named = Pick<Bar, 'source' | 'ticker'>
const tickerOf = ({ source, ticker }: Named) => `${source}|${ticker}`
const placeOf = ({ interval, time }: { interval: string; time: number }) => `${interval} ${time}`

const ALL = Number.POSITIVE_INFINITY

async function withMoreTicks(tx: Tx, bars: readonly Bar[]): Promise<Bar[]> {
  const { candles } = tx.t
  const { interval, time, volume, rebuiltAt } = candles
  const kept: Bar[] = []
  for (const group of Map.groupBy(bars, tickerOf).values()) {
    const { source, ticker } = group[0]!
    const places = and(
      ...[eq(candles.source, source), eq(candles.ticker, ticker)],
      inArray(interval, [...new Set(group.map((bar) => bar.interval))]),
      inArray(time, [...new Set(group.map((bar) => bar.time))]),
    )
    const rows = await tx.sql.select({ interval, time, volume, rebuiltAt }).from(candles).where(places)
    const ticks = new Map(rows.map((row) => [placeOf(row), row.rebuiltAt === null ? row.volume : ALL]))
    const newer = new Map<string, Bar>()
    for (const bar of group) {
      const place = placeOf(bar)
      if (bar.volume <= (ticks.get(place) ?? 0)) continue
      ticks.set(place, bar.volume)
      newer.set(place, bar)
    }
    kept.push(...newer.values())
  }
  return kept
}

/** One for each ticker. */
function eventsOf(
  changes: readonly CandlesChanged[],
  { origin, cause, at }: Pick<KeepOptions, 'origin' | 'cause' | 'at'>,
): Outgoing[] {
  return [...Map.groupBy(changes, tickerOf).values()].map((group) => {
    const { source, ticker, kind } = group[0]!
    const ranges = group.map(({ interval, from, to }) => ({ interval, from, to }))
    const id = deriveId('changed', source, ticker, kind, cause, JSON.stringify(ranges))
    return outgoing(candlesChanged, id, { source, ticker, ranges, kind, origin }, { time: at })
  })
}
