// The columns of one symbol in the ring. Source and broker are numbers here: a symbol has few of them.
import type { Tick } from './tick.ts'

export interface RingColumns {
  readonly rows: number
  write(row: number, tick: Tick): void
  read(row: number): Tick
  /** The same rows, and as many more as it takes to have `rows`. */
  grown(rows: number): RingColumns
}

interface Origin {
  readonly source: string
  readonly broker: string
}

type Columns = ReturnType<typeof columnsOf>

const columnsOf = (rows: number) => ({
  time: new Float64Array(rows),
  bid: new Float64Array(rows),
  ask: new Float64Array(rows),
  bidSize: new Float64Array(rows),
  askSize: new Float64Array(rows),
  volume: new Float64Array(rows),
  nanos: new Uint32Array(rows),
  sequence: new Uint32Array(rows),
  flags: new Uint32Array(rows),
  origin: new Uint32Array(rows),
})

export function openColumns(
  symbol: string,
  rows: number,
  columns: Columns = columnsOf(rows),
  origins: Origin[] = [],
): RingColumns {
  const { time, nanos, sequence, bid, ask, bidSize, askSize, volume, flags, origin } = columns
  let last = 0
  const originOf = (source: string, broker: string): number => {
    const isIt = (one: Origin | undefined) => one?.source === source && one.broker === broker
    if (isIt(origins[last])) return last
    last = origins.findIndex(isIt)
    if (last === -1) last = origins.push({ source, broker }) - 1
    return last
  }
  return {
    rows,
    write(row, tick) {
      time[row] = tick.time
      nanos[row] = tick.nanos
      sequence[row] = tick.sequence
      bid[row] = tick.bid
      ask[row] = tick.ask
      bidSize[row] = tick.bidSize ?? Number.NaN
      askSize[row] = tick.askSize ?? Number.NaN
      volume[row] = tick.volume
      flags[row] = tick.flags
      origin[row] = originOf(tick.source, tick.broker)
    },
    read(row) {
      const { source, broker } = origins[origin[row]!]!
      const [sizeBid, sizeAsk] = [bidSize[row]!, askSize[row]!]
      return {
        symbol,
        source,
        time: time[row]!,
        nanos: nanos[row]!,
        sequence: sequence[row]!,
        bid: bid[row]!,
        ask: ask[row]!,
        // Not a number: the source did not say.
        bidSize: Number.isNaN(sizeBid) ? undefined : sizeBid,
        askSize: Number.isNaN(sizeAsk) ? undefined : sizeAsk,
        volume: volume[row]!,
        flags: flags[row]!,
        broker,
      }
    },
    grown(more) {
      const wider = columnsOf(more)
      for (const name of Object.keys(wider) as (keyof Columns)[]) wider[name].set(columns[name])
      return openColumns(symbol, more, wider, origins)
    },
  }
}
