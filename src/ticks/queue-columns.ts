// Fills the columns of a batch tick by tick. All columns of a batch lie in one buffer, so that handing it to the
// thread moves one thing, and nothing of a tick stays behind.
import type { BatchSeries, TickBatch } from './batch.ts'
import type { Tick } from './tick.ts'

const DAY_MS = 86_400_000
// Batches are small while ticks are few; the next is taken to be about as large as the last.
const FIRST_ROWS = 256
// Symbols that are not seen any more must not be remembered for ever.
const KNOWN_MAX = 65_536

export interface BatchFiller {
  /** Ticks in the batch that is being filled. */
  count(): number
  isFull(): boolean
  push(tick: Tick): void
  /** What was pushed since the last call; begins the next batch. */
  take(): TickBatch
}

/** The number of a series within the batch `batch`; other sources and brokers of the symbol follow. */
interface Known {
  readonly source: string
  readonly broker: string
  batch: number
  index: number
  readonly next: Known | undefined
}

export function openFiller(capacity: number): BatchFiller {
  const known = new Map<string, Known>()
  let series: BatchSeries[] = []
  let rows = Math.min(FIRST_ROWS, capacity)
  let columns = columnsFor(rows)
  let count = 0
  let batch = 0
  const grow = () => {
    const before = columns
    rows = Math.min(rows * 2, capacity)
    columns = columnsFor(rows)
    for (const name of COLUMN_NAMES) columns[name].set(before[name])
  }

  const seriesOf = ({ symbol, source, broker }: Tick): number => {
    let one = known.get(symbol)
    while (one && (one.source !== source || one.broker !== broker)) one = one.next
    if (!one) {
      one = { source, broker, batch: -1, index: 0, next: known.get(symbol) }
      known.set(symbol, one)
    }
    if (one.batch !== batch) {
      one.batch = batch
      one.index = series.push({ symbol, source, broker }) - 1
    }
    return one.index
  }

  return {
    count: () => count,
    isFull: () => count === capacity,
    push(tick) {
      if (count === rows) grow()
      const row = count++
      const day = Math.floor(tick.time / DAY_MS)
      columns.seriesOf[row] = seriesOf(tick)
      columns.day[row] = day
      columns.nanosOfDay[row] = (tick.time - day * DAY_MS) * 1e6 + tick.nanos
      columns.sequence[row] = tick.sequence
      columns.bid[row] = tick.bid
      columns.ask[row] = tick.ask
      columns.bidSize[row] = tick.bidSize ?? Number.NaN
      columns.askSize[row] = tick.askSize ?? Number.NaN
      columns.volume[row] = tick.volume
      columns.flags[row] = tick.flags
    },
    take() {
      const taken: TickBatch = { count, series, ...firstRows(columns, count) }
      series = []
      while (rows > FIRST_ROWS && rows > count * 2) rows = Math.ceil(rows / 2)
      columns = columnsFor(rows)
      count = 0
      batch++
      if (known.size > KNOWN_MAX) known.clear()
      return taken
    },
  }
}

export type Columns = Omit<TickBatch, 'count' | 'series'>

export const ROW_BYTES = 64

/** As they lie in the buffer, one behind the other. */
export const COLUMN_NAMES = [
  'nanosOfDay',
  'bid',
  'ask',
  'bidSize',
  'askSize',
  'volume',
  'seriesOf',
  'sequence',
  'flags',
  'day',
] as const satisfies readonly (keyof Columns)[]

/** Columns of so many rows in one buffer, from `offset` (a multiple of 8) on. */
export function columnsFor(
  rows: number,
  buffer: ArrayBuffer = new ArrayBuffer(rows * ROW_BYTES),
  offset = 0,
): Columns {
  let at = offset
  const floats = () => {
    const column = new Float64Array(buffer, at, rows)
    at += column.byteLength
    return column
  }
  const wholes = () => {
    const column = new Uint32Array(buffer, at, rows)
    at += column.byteLength
    return column
  }
  const [nanosOfDay, bid, ask] = [floats(), floats(), floats()]
  const [bidSize, askSize, volume] = [floats(), floats(), floats()]
  const [seriesOf, sequence, flags] = [wholes(), wholes(), wholes()]
  const day = new Int32Array(buffer, at, rows)
  return { nanosOfDay, bid, ask, bidSize, askSize, volume, seriesOf, sequence, flags, day }
}

function firstRows(columns: Columns, count: number): Columns {
  return {
    nanosOfDay: columns.nanosOfDay.subarray(0, count),
    bid: columns.bid.subarray(0, count),
    ask: columns.ask.subarray(0, count),
    bidSize: columns.bidSize.subarray(0, count),
    askSize: columns.askSize.subarray(0, count),
    volume: columns.volume.subarray(0, count),
    seriesOf: columns.seriesOf.subarray(0, count),
    sequence: columns.sequence.subarray(0, count),
    flags: columns.flags.subarray(0, count),
    day: columns.day.subarray(0, count),
  }
}
