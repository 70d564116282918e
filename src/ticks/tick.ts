// What a tick is, and the port behind which ticks are kept. All stores give the same answers
// (test/ticks/conformance.ts).

/** Best bid and ask of a symbol as one source saw them. */
export interface Tick {
  /** As its source writes it: EURUSD, BTC/USDT. */
  readonly symbol: string
  /** Venue or liquidity provider. */
  readonly source: string
  /** ms UTC, whole. */
  readonly time: number
  /** ns beyond the millisecond, 0 to 999,999. */
  readonly nanos: number
  /** Order among ticks of one symbol, source and time: 0, 1, 2 … (one message may bring several). */
  readonly sequence: number
  /** Quote units for one base unit, float64 as the source gave it. */
  readonly bid: number
  readonly ask: number
  /** Base units; undefined where the source does not say. */
  readonly bidSize: number | undefined
  readonly askSize: number | undefined
  readonly volume: number
  /** Bit 0: made up by a simulator. Others are the source's own; 32 bits. */
  readonly flags: number
  /** The account or connection through which it came; empty where there is but one. */
  readonly broker: string
}

/** What became of the ticks of one write; the two add up to their number. */
export interface Written {
  readonly stored: number
  /** Were there already, with the same content. */
  readonly duplicate: number
}

/** A place between ticks of one symbol: behind (time, nanos, source, sequence). */
export interface TickCursor {
  readonly time: number
  readonly nanos: number
  readonly source: string
  readonly sequence: number
}

export interface TickQuery {
  readonly symbol: string
  /** Default: all. */
  readonly source?: string
  /** ms UTC, inclusive. */
  readonly from: number
  /** ms UTC, exclusive. */
  readonly to: number
  /** At most this many. */
  readonly limit?: number
  /** Only what lies behind it. */
  readonly after?: TickCursor
}

/** How much there is of a symbol from one source on one UTC day. */
export interface TickSeries {
  /** YYYY-MM-DD. */
  readonly day: string
  readonly symbol: string
  readonly source: string
  readonly ticks: number
  /** ms UTC. */
  readonly first: number
  readonly last: number
}

export interface TickStore {
  /**
   * Resolves when all are durable. A tick that is there already is a duplicate. One whose (symbol, source, time,
   * sequence) is taken by other content gets the next free sequence: nothing is overwritten and nothing is dropped,
   * and writing the same list again stores nothing.
   */
  write(ticks: readonly Tick[]): Promise<Written>
  /** In the order of (time, nanos, source, sequence), over as many days as it takes. */
  range(query: TickQuery): Promise<Tick[]>
  /** The newest `count` of a symbol, oldest first, on disk. */
  recent(symbol: string, count: number, source?: string): Promise<Tick[]>
  /** Ordered by (day, symbol, source); of one day when it is named. */
  series(day?: string): Promise<TickSeries[]>
  close(): Promise<void>
}

/** A store that another one can be copied into. */
export interface CopyableTicks extends TickStore {
  /**
   * Writes ticks that are all another store has of their symbols, sources and times. As `write`, but where one of them
   * meets other content in its place: then the ticks of its symbol, source and time become what the other store has,
   * under the same sequences, and behind them those whose content only this store had. So both orders in which two
   * stores may have taken the same ticks end as one. Rejects with TICKS_ARCHIVED when that would change an archive.
   */
  copyIn(ticks: readonly Tick[]): Promise<Written>
}
