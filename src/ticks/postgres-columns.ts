// Ticks as Postgres takes and gives them. Written as binary arrays, because the driver's own text of an array loses
// the sign of zero and takes 3 times as long; read as text, which is all that the driver reads, and exact.
import pg from 'pg'
import type { Tick, TickCursor } from './tick.ts'

const [INT8, FLOAT8, TEXT] = [20, 701, 25]

/** The order in which ticks are written; `WRITTEN[n]` is the nth of `parametersOf`. */
export const WRITTEN =
  'time, sequence, bid, ask, bid_size, ask_size, volume, flags, symbol, source, broker' as const
export const UNNEST = `unnest($1::int8[], $2::int8[], $3::float8[], $4::float8[], $5::float8[], $6::float8[],
  $7::float8[], $8::int8[], $9::text[], $10::text[], $11::text[])` as const

export function parametersOf(ticks: readonly Tick[]): Buffer[] {
  return [
    timesOf(ticks),
    wholes(ticks, ({ sequence }) => sequence),
    floats(ticks, ({ bid }) => bid),
    floats(ticks, ({ ask }) => ask),
    floats(ticks, ({ bidSize }) => bidSize),
    floats(ticks, ({ askSize }) => askSize),
    floats(ticks, ({ volume }) => volume),
    wholes(ticks, ({ flags }) => flags),
    texts(ticks, ({ symbol }) => symbol),
    texts(ticks, ({ source }) => source),
    texts(ticks, ({ broker }) => broker),
  ]
}

/** Symbol, source and time of each tick: what a collision is looked up by. */
export function keysOf(ticks: readonly Tick[]): Buffer[] {
  return [texts(ticks, ({ symbol }) => symbol), texts(ticks, ({ source }) => source), timesOf(ticks)]
}

const HEAD = 20

/** One dimension, elements counted from 1. */
function head(oid: number, count: number, bytes: number): Buffer {
  const array = Buffer.allocUnsafe(HEAD + bytes)
  array.writeInt32BE(1, 0)
  array.writeInt32BE(1, 4)
  array.writeInt32BE(oid, 8)
  array.writeInt32BE(count, 12)
  array.writeInt32BE(1, 16)
  return array
}

function timesOf(ticks: readonly Tick[]): Buffer {
  const array = head(INT8, ticks.length, ticks.length * 12)
  for (const [n, { time, nanos }] of ticks.entries()) {
    array.writeInt32BE(8, HEAD + n * 12)
    array.writeBigInt64BE(BigInt(time) * 1_000_000n + BigInt(nanos), HEAD + n * 12 + 4)
  }
  return array
}

function wholes(ticks: readonly Tick[], of: (tick: Tick) => number): Buffer {
  const array = head(INT8, ticks.length, ticks.length * 12)
  for (const [n, tick] of ticks.entries()) {
    array.writeInt32BE(8, HEAD + n * 12)
    array.writeUInt32BE(0, HEAD + n * 12 + 4)
    array.writeUInt32BE(of(tick), HEAD + n * 12 + 8)
  }
  return array
}

function floats(ticks: readonly Tick[], of: (tick: Tick) => number | undefined): Buffer {
  const array = head(FLOAT8, ticks.length, ticks.length * 12)
  let at = HEAD
  for (const tick of ticks) {
    const value = of(tick)
    at = array.writeInt32BE(value === undefined ? -1 : 8, at)
    if (value !== undefined) at = array.writeDoubleBE(value, at)
  }
  return array.subarray(0, at)
}

function texts(ticks: readonly Tick[], of: (tick: Tick) => string): Buffer {
  // A list names few symbols and sources many times.
  const encoded = new Map<string, Buffer>()
  let bytes = 0
  const parts = ticks.map((tick) => {
    const text = of(tick)
    let part = encoded.get(text)
    if (!part) {
      part = Buffer.from(text)
      encoded.set(text, part)
    }
    bytes += 4 + part.length
    return part
  })
  const array = head(TEXT, parts.length, bytes)
  let at = HEAD
  for (const part of parts) {
    at = array.writeInt32BE(part.length, at)
    at += part.copy(array, at)
  }
  return array
}

/** The columns that `tickOf` takes. */
export const READ =
  't.time, t.sequence, t.bid, t.ask, t.bid_size, t.ask_size, t.volume, t.flags, t.source, t.broker' as const

/** bigint columns stay texts, because 19 digits are no float64. */
export const ROWS = {
  rowMode: 'array',
  types: { getTypeParser: (oid: number) => (oid === INT8 ? String : pg.types.getTypeParser(oid, 'text')) },
} as const

export type Row = [
  string,
  string,
  number,
  number,
  number | null,
  number | null,
  number,
  string,
  string,
  string,
]

export function tickOf(symbol: string, row: Row): Tick {
  return {
    symbol,
    source: row[8],
    time: msOf(row[0]),
    nanos: Number(row[0].slice(-6)),
    sequence: Number(row[1]),
    bid: row[2],
    ask: row[3],
    bidSize: row[4] ?? undefined,
    askSize: row[5] ?? undefined,
    volume: row[6],
    flags: Number(row[7]),
    broker: row[9],
  }
}

/** ms of a time in ns. */
export const msOf = (nanos: string): number => Number(nanos.slice(0, -6))

/** A time in ns, in digits. */
export const nanosText = ({ time, nanos }: Pick<TickCursor, 'time' | 'nanos'>): string =>
  `${time === 0 ? '' : time}${String(nanos).padStart(6, '0')}`
