// Columns for the tests of blocks: any, and by hand.
import fc from 'fast-check'
import { brokerIndex, type OpenColumns, openColumns, type TickColumns } from '../../src/ticks/columns.ts'

export interface Row {
  readonly time: number
  readonly sequence: number
  readonly bid: number
  readonly ask: number
  readonly bidSize: number
  readonly askSize: number
  readonly volume: number
  readonly flags: number
  readonly broker: string
}

export const row = (more: Partial<Row> = {}): Row => ({
  time: 0,
  sequence: 0,
  bid: 1.0848,
  ask: 1.085,
  bidSize: Number.NaN,
  askSize: Number.NaN,
  volume: 0,
  flags: 0,
  broker: '',
  ...more,
})

export function columnsOf(rows: readonly Row[]): OpenColumns {
  const columns = openColumns(rows.length)
  for (const [i, one] of rows.entries()) {
    columns.time[i] = one.time
    columns.sequence[i] = one.sequence
    columns.bid[i] = one.bid
    columns.ask[i] = one.ask
    columns.bidSize[i] = one.bidSize
    columns.askSize[i] = one.askSize
    columns.volume[i] = one.volume
    columns.flags[i] = one.flags
    columns.broker[i] = brokerIndex(columns, one.broker)
  }
  columns.count = rows.length
  return columns
}

export const rowsOf = (columns: TickColumns, from = 0, to = columns.count): Row[] =>
  Array.from({ length: to - from }, (_, i) => rowAt(columns, from + i))

const rowAt = (columns: TickColumns, i: number): Row => ({
  time: columns.time[i]!,
  sequence: columns.sequence[i]!,
  bid: columns.bid[i]!,
  ask: columns.ask[i]!,
  bidSize: columns.bidSize[i]!,
  askSize: columns.askSize[i]!,
  volume: columns.volume[i]!,
  flags: columns.flags[i]!,
  broker: columns.brokers[columns.broker[i]!]!,
})

/** What somebody writes down, what a program computes, and everything between. */
export const price: fc.Arbitrary<number> = fc.oneof(
  fc.integer({ min: -2_000_000, max: 2_000_000 }).map((pips) => pips / 100_000),
  fc.tuple(fc.maxSafeInteger(), fc.nat(15)).map(([whole, digits]) => whole / 10 ** digits),
  fc.double(),
  fc.constantFrom(
    0,
    -0,
    Number.MIN_VALUE,
    -Number.MAX_VALUE,
    2 ** 51,
    2 ** 51 + 1,
    -(2 ** 53),
    0.1 + 0.2,
    1e-7,
  ),
)
const size = fc.oneof(fc.constant(Number.NaN), fc.nat(1_000_000), price)

const NS_OF_DAY = 86_400_000_000_000
const time = fc
  .tuple(fc.nat(NS_OF_DAY - 1), fc.constantFrom(1, 100, 1_000, 1_000_000, 1_000_000_000))
  .map(([nanos, unit]) => Math.floor(nanos / unit) * unit)

const anyRow = (values: fc.Arbitrary<number>): fc.Arbitrary<Row> =>
  fc
    .record({
      time,
      sequence: fc.oneof(fc.nat(3), fc.nat(2 ** 32 - 1)),
      bid: values,
      ask: values,
      bidSize: size,
      askSize: size,
      volume: values,
      flags: fc.oneof(fc.constant(0), fc.nat(2 ** 32 - 1)),
      broker: fc.constantFrom('', 'main', 'zweite'),
    })
    .map(row)

const byKey = (a: Row, b: Row): number => a.time - b.time || a.sequence - b.sequence
const sorted = (rows: readonly Row[]): Row[] =>
  rows.toSorted(byKey).filter((one, i, all) => i === 0 || byKey(all[i - 1]!, one) !== 0)

/** At least one row, in order, no key twice; in half of them all prices are decimals. */
export const anyRows: fc.Arbitrary<Row[]> = fc
  .oneof(
    fc.array(anyRow(price), { minLength: 1, maxLength: 80 }),
    fc.array(anyRow(fc.integer({ min: 1, max: 300_000 }).map((pips) => pips / 100_000)), {
      minLength: 1,
      maxLength: 600,
    }),
  )
  .map(sorted)
