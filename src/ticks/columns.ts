// Ticks of one symbol, source and day as columns: what a block holds, and what is merged, compared and written
// without making an object of each tick.

/** A block never holds more ticks. */
export const BLOCK_TICKS_MAX = 4_096

export interface TickColumns {
  /** The arrays may be longer. */
  readonly count: number
  /** ns since the beginning of the UTC day, rising; ticks of one time are ordered by `sequence`. */
  readonly time: Float64Array
  readonly sequence: Uint32Array
  readonly bid: Float64Array
  readonly ask: Float64Array
  /** NaN where the source does not say. */
  readonly bidSize: Float64Array
  readonly askSize: Float64Array
  readonly volume: Float64Array
  readonly flags: Uint32Array
  /** Index into `brokers`. */
  readonly broker: Uint32Array
  readonly brokers: readonly string[]
}

/** Columns of its own, which are filled one tick after the other. */
export interface OpenColumns extends TickColumns {
  count: number
  brokers: string[]
}

export const openColumns = (capacity: number): OpenColumns => ({
  count: 0,
  time: new Float64Array(capacity),
  sequence: new Uint32Array(capacity),
  bid: new Float64Array(capacity),
  ask: new Float64Array(capacity),
  bidSize: new Float64Array(capacity),
  askSize: new Float64Array(capacity),
  volume: new Float64Array(capacity),
  flags: new Uint32Array(capacity),
  broker: new Uint32Array(capacity),
  brokers: [],
})

/** Appends ticks `from` to `to` of another one; there must be room. */
export function appendColumns(target: OpenColumns, columns: TickColumns, from: number, to: number): void {
  const at = target.count
  target.time.set(columns.time.subarray(from, to), at)
  target.sequence.set(columns.sequence.subarray(from, to), at)
  target.bid.set(columns.bid.subarray(from, to), at)
  target.ask.set(columns.ask.subarray(from, to), at)
  target.bidSize.set(columns.bidSize.subarray(from, to), at)
  target.askSize.set(columns.askSize.subarray(from, to), at)
  target.volume.set(columns.volume.subarray(from, to), at)
  target.flags.set(columns.flags.subarray(from, to), at)
  const known = columns.brokers.map((name) => brokerIndex(target, name))
  if (known.length === 1) target.broker.fill(known[0]!, at, at + to - from)
  else for (let i = from; i < to; i++) target.broker[at + i - from] = known[columns.broker[i]!]!
  target.count = at + to - from
}

/** The same for one tick. */
export function appendTick(target: OpenColumns, columns: TickColumns, i: number): void {
  const at = target.count++
  target.time[at] = columns.time[i]!
  copyRow(target, at, columns, i)
  target.broker[at] = brokerIndex(target, columns.brokers[columns.broker[i]!]!)
}

/** What batches and blocks keep alike: all but time and broker. */
export function copyRow(
  target: OpenColumns,
  at: number,
  from: Omit<TickColumns, 'time' | 'broker' | 'brokers' | 'count'>,
  i: number,
): void {
  target.sequence[at] = from.sequence[i]!
  target.bid[at] = from.bid[i]!
  target.ask[at] = from.ask[i]!
  target.bidSize[at] = from.bidSize[i]!
  target.askSize[at] = from.askSize[i]!
  target.volume[at] = from.volume[i]!
  target.flags[at] = from.flags[i]!
}

/** The number of a broker's name here; it is added when it is new. */
export function brokerIndex(target: OpenColumns, name: string): number {
  const known = target.brokers.indexOf(name)
  return known === -1 ? target.brokers.push(name) - 1 : known
}

/** Everything but time and sequence is the same, bit by bit (-0 is not 0). */
export function sameContent(a: TickColumns, i: number, b: TickColumns, j: number): boolean {
  return (
    Object.is(a.bid[i], b.bid[j]) &&
    Object.is(a.ask[i], b.ask[j]) &&
    Object.is(a.bidSize[i], b.bidSize[j]) &&
    Object.is(a.askSize[i], b.askSize[j]) &&
    Object.is(a.volume[i], b.volume[j]) &&
    a.flags[i] === b.flags[j] &&
    a.brokers[a.broker[i]!] === b.brokers[b.broker[j]!]
  )
}

/** The first index from `from` on whose tick is not before (time, sequence). */
export function lowerBound(columns: TickColumns, time: number, sequence: number, from = 0): number {
  let low = from
  let high = columns.count
  while (low < high) {
    const middle = (low + high) >>> 1
    const difference = columns.time[middle]! - time || columns.sequence[middle]! - sequence
    if (difference < 0) low = middle + 1
    else high = middle
  }
  return low
}
