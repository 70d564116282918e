// What the engine must know of a feature to copy it and to compare it: its data as parts, and the records of a part as
// canonical values. The contexts provide it; the engine knows nothing of ticks or candles.
import type { Side } from './phase.ts'

/** Data that is copied and compared together: a day of a symbol, an interval of a ticker. */
export interface Part {
  /** Unique; parts are worked on in the order of their names. */
  readonly name: string
  /** How many records the store has of it. */
  readonly records: number
}

export interface CanonicalRecord {
  /** Names the record in both stores. */
  readonly key: string
  /** Equal records have equal texts. */
  readonly value: string
}

export interface FeatureStores<P extends Part = Part> {
  readonly name: string
  /** What there is in a store. */
  parts(side: Side): Promise<readonly P[]>
  /** In pages, ascending by key as JavaScript compares texts; none where the store has nothing of the part. */
  records(side: Side, part: P): AsyncIterable<readonly CanonicalRecord[]>
  /**
   * Brings what `to` lacks over from the other store, and tells how many records it has read. Safe to repeat. Others
   * write both stores meanwhile. It deletes nothing.
   */
  copy(part: P, to: Side, onRead: (records: number) => void, signal: AbortSignal): Promise<void>
  /**
   * Resolves when everything that was accepted before the call is in that store. Left out: a store is written before a
   * write is acknowledged.
   */
  drained?(side: Side, signal: AbortSignal): Promise<void>
}

/** How far a copy or a comparison is. */
export interface Progress {
  /** Which look: a comparison looks again at parts that differed. */
  readonly look: number
  readonly part: string
  readonly parts: number
  readonly partsDone: number
  readonly records: number
  /** As far as it is known beforehand. */
  readonly recordsExpected: number
  /** Records that differ as far as was seen. */
  readonly suspects: number
}
