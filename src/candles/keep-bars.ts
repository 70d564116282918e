// Bars into the database, and the change told through the outbox of the same transaction. Every writer of bars goes
// this way: files, longer bars and caches follow the stream and not the writer.
import { enqueue, type Outgoing, outgoing } from '../bus/index.ts'
import { type CandleChange, candlesChanged } from '../catalog/index.ts'
import { and, asc, eq, inArray, type Tx } from '../db/index.ts'
import { deriveId } from '../kernel/index.ts'
import type { Bar, CandlesWritten } from './candle.ts'

/** The SQL store within a transaction. */
export type WriteBars = (tx: Tx, bars: readonly Bar[], at: number) => Promise<CandlesWritten>

export interface KeepOptions {
  readonly write: WriteBars
  readonly origin: CandleChange['origin']
  /**
   * `more ticks`: a stored bar is replaced only by one that more ticks have made, so that what is delivered late, again
   * or by a fold that had to begin anew never overwrites something newer. `always`: what comes is right.
   */
  readonly replaces: 'more ticks' | 'always'
  /** What the id of the change is derived from: the entry, or the run of a command. */
  readonly cause: string
  /** ms UTC. */
  readonly at: number
}

export interface Kept extends CandlesWritten {
  /** Were not written because what is stored has as many ticks or more. */
  readonly older: number
}

/** The later of two bars with one key counts, or the one with more ticks. */
export async function keepBars(tx: Tx, bars: readonly Bar[], options: KeepOptions): Promise<Kept> {
  const { write, replaces, at } = options
  const chosen = newestOf(bars, replaces)
  const kept = replaces === 'always' ? chosen : await withMoreTicks(tx, chosen)
  const older = bars.length - kept.length
  if (kept.length === 0) return { stored: 0, changed: 0, unchanged: 0, older }
  const written = await write(tx, kept, at)
  if (written.stored + written.changed > 0) await enqueue(tx, changesOf(kept, options))
  return { ...written, older }
}

const seriesOf = ({ source, ticker }: Pick<Bar, 'source' | 'ticker'>) => `${source}|${ticker}`
const placeOf = ({ interval, time }: Pick<Bar, 'interval' | 'time'>) => `${interval} ${time}`

/** One for each key, in an order that is the same for all writers, so that none of two waits for the other. */
function newestOf(bars: readonly Bar[], replaces: KeepOptions['replaces']): Bar[] {
  const chosen = new Map<string, Bar>()
  for (const bar of bars) {
    const name = `${seriesOf(bar)} ${placeOf(bar)}`
    const known = chosen.get(name)
    if (!known || replaces === 'always' || bar.volume > known.volume) chosen.set(name, bar)
  }
  return [...chosen].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, bar]) => bar)
}

/** Locks the stored rows, so that a rebuild of the same bars is before this transaction or behind it. */
async function withMoreTicks(tx: Tx, bars: readonly Bar[]): Promise<Bar[]> {
  const { candles } = tx.t
  const kept: Bar[] = []
  for (const group of Map.groupBy(bars, seriesOf).values()) {
    const { source, ticker } = group[0]!
    const here = and(
      ...[eq(candles.source, source), eq(candles.ticker, ticker)],
      inArray(candles.interval, [...new Set(group.map(({ interval }) => interval))]),
      inArray(candles.time, [...new Set(group.map(({ time }) => time))]),
    )
    const { interval, time, volume } = candles
    const rows = await tx.forUpdate(
      tx.sql.select({ interval, time, volume }).from(candles).where(here).orderBy(asc(interval), asc(time)),
    )
    const stored = new Map(rows.map((row) => [placeOf(row as Pick<Bar, 'interval' | 'time'>), row.volume]))
    kept.push(...group.filter((bar) => bar.volume > (stored.get(placeOf(bar)) ?? 0)))
  }
  return kept
}

function changesOf(bars: readonly Bar[], { origin, cause, at }: KeepOptions): Outgoing[] {
  return [...Map.groupBy(bars, seriesOf).values()].map((group) => {
    const { source, ticker } = group[0]!
    const ranges = [...Map.groupBy(group, ({ interval }) => interval)].map(([interval, list]) => ({
      interval,
      from: list.reduce((least, { time }) => Math.min(least, time), Number.POSITIVE_INFINITY),
      to: list.reduce((most, { time }) => Math.max(most, time), Number.NEGATIVE_INFINITY),
    }))
    const id = deriveId('changed', source, ticker, cause, JSON.stringify(ranges))
    return outgoing(candlesChanged, id, { source, ticker, ranges, kind: 'written', origin }, { time: at })
  })
}
