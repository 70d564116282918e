// Bars of a range computed again from stored ticks: for what came too late for the fold, and for ticks that were
// imported. The arithmetic is the fold's, so both say the same of the same ticks.
import type { CandleChange } from '../catalog/index.ts'
import type { Database } from '../db/index.ts'
import { type Clock, SluiceError } from '../kernel/index.ts'
import { bucketEnd, bucketOf } from './bucket.ts'
import { type BuiltTick, buildBars } from './build-bars.ts'
import type { Bar } from './candle.ts'
import { TICK_INTERVALS, type TickInterval } from './fold-bars.ts'
import { addKept, type KeepOptions, keepBars, lockBars } from './keep-bars.ts'

export interface RebuildOptions {
  readonly db: Database
  readonly clock: Clock
  readonly source: string
  readonly ticker: string
  /** ms UTC: every bar that holds a part of [from, to) is rebuilt as a whole. */
  readonly from: number
  readonly to: number
  /** Default: all that ticks are built into. */
  readonly intervals?: readonly TickInterval[]
  /** The ticks of [from, to) of this symbol at this source, in order. */
  readonly ticks: (from: number, to: number) => AsyncIterable<BuiltTick>
  /** Names this run: the changes that it tells have ids of their own. */
  readonly run: string
  readonly origin?: CandleChange['origin']
}

export interface Rebuilt {
  readonly ticks: number
  readonly bars: number
  readonly stored: number
  readonly changed: number
  readonly unchanged: number
  /** Left, because what is stored has seen as many ticks or more: those that still grow, */
  readonly growing: number
  /** and those that ended less than five minutes ago. */
  readonly ending: number
}

const BATCH = 1_000
/** A bar is the fold's until late ticks cannot correct it any more, and its ticks are stored by then. */
const SETTLED_MS = 300_000

/** Constant memory. Bars without a stored tick stay as they are. */
export async function rebuildCandles(options: RebuildOptions): Promise<Rebuilt> {
  const { source, ticker, from, to, intervals = TICK_INTERVALS } = options
  if (!(from < to)) throw new SluiceError('USAGE', `The range from ${from} to ${to} is empty.`, { from, to })
  // Whole bars of every interval lie in whole bars of the longest.
  const longest = intervals.reduce((one, other) => (lengthOf(other) > lengthOf(one) ? other : one))
  let ticks = 0
  async function* counted(): AsyncGenerator<BuiltTick> {
    for await (const tick of options.ticks(bucketOf(longest, from), bucketEnd(longest, to - 1))) {
      ticks++
      yield tick
    }
  }
  const sum = { bars: 0, stored: 0, changed: 0, unchanged: 0, growing: 0, ending: 0 }
  let batch: Bar[] = []
  const flush = async () => {
    const written = await keepAll(options, batch)
    sum.bars += batch.length
    for (const name of ['stored', 'changed', 'unchanged', 'growing', 'ending'] as const)
      sum[name] += written[name]
    batch = []
  }
  for await (const bar of buildBars(counted(), { source, ticker, intervals })) {
    if (bar.time >= to || bucketEnd(bar.interval, bar.time) <= from) continue
    batch.push(bar)
    if (batch.length >= BATCH) await flush()
  }
  if (batch.length > 0) await flush()
  return { ticks, ...sum }
}

const lengthOf = (interval: TickInterval) => bucketEnd(interval, 0)

async function keepAll(
  { db, clock, run, origin = 'ticks' }: RebuildOptions,
  bars: readonly Bar[],
): Promise<Omit<Rebuilt, 'ticks' | 'bars'>> {
  const at = clock.now()
  const { driver } = db
  const options = (replaces: KeepOptions['replaces']) => ({ driver, origin, replaces, at, cause: run })
  const { settled = [], ending = [], growing = [] } = Object.groupBy(bars, (bar) => ageOf(bar, at))
  return db.write(async (tx) => {
    await lockBars(tx, driver, bars)
    const marked = settled.map((bar) => ({ ...bar, rebuiltAt: at }))
    const right = await keepBars(tx, marked, options('always'))
    const late = await keepBars(tx, ending, options('more ticks'))
    const young = await keepBars(tx, growing, options('more ticks'))
    const { older: _, ...kept } = addKept(addKept(right, late), young)
    return { ...kept, ending: late.older, growing: young.older }
  })
}

function ageOf({ interval, time }: Bar, at: number): 'growing' | 'ending' | 'settled' {
  const end = bucketEnd(interval, time)
  if (end > at) return 'growing'
  return end + SETTLED_MS > at ? 'ending' : 'settled'
}
