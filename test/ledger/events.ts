// Executions as the ledger hears of them: made by fast-check, or written out by hand for one case.
import fc from 'fast-check'
import type { ExecutionCompleted, ExecutionEvent, Fill } from '../../src/catalog/index.ts'
import type { Tx } from '../../src/db/index.ts'
import { decimal, decimalText } from '../../src/kernel/index.ts'

export interface Told {
  readonly eventId: string
  readonly data: ExecutionEvent
}

export const aFill = (fill: Partial<Fill> = {}): Fill => ({
  type: 'fill',
  id: 'order-1:0',
  clientOrderId: 'order-1',
  opportunityId: 'opportunity-1',
  leg: 0,
  venue: 'alpha',
  symbol: 'BTC/USDT',
  side: 'buy',
  price: '100',
  quantity: '1',
  fee: '0.1',
  feeAsset: 'USDT',
  time: 1_000,
  simulated: true,
  ...fill,
})

export const anEnd = (end: Partial<ExecutionCompleted> = {}): ExecutionCompleted => ({
  type: 'completed',
  opportunityId: 'opportunity-1',
  symbol: 'BTC/USDT',
  buyVenue: 'alpha',
  sellVenue: 'beta',
  outcome: 'filled',
  residual: '0',
  time: 1_010,
  simulated: true,
  ...end,
})

export const told = (data: ExecutionEvent): Told => ({
  eventId: data.type === 'fill' ? `fill ${data.id}` : `end ${data.opportunityId}`,
  data,
})

const VENUES = ['alpha', 'beta', 'gamma'] as const
/** Symbols that share a quote asset, symbols that share a base, and one whose base is another's quote. */
export const SYMBOLS = ['BTC/USDT', 'ETH/USDT', 'BTC/BRL', 'USDT/BRL'] as const

/** A decimal of up to 9 whole digits and 8 places. */
const amount = fc
  .tuple(fc.integer({ min: 1, max: 999_999_999 }), fc.integer({ min: 0, max: 8 }))
  .map(([digits, places]) => decimalText(decimal(`${digits}e-${places}`)))

const leg = fc.record({
  leg: fc.integer({ min: 0, max: 3 }),
  venue: fc.constantFrom(...VENUES),
  side: fc.constantFrom('buy' as const, 'sell' as const),
  price: amount,
  quantity: amount,
  fee: amount,
})

/** Everything that is told of one symbol, in order: fills and the end of each execution. */
export const storyOf = (symbol: string, maxExecutions = 4): fc.Arbitrary<Told[]> =>
  fc
    .array(fc.array(leg, { maxLength: 4 }), { minLength: 1, maxLength: maxExecutions })
    .map((executions) => executions.flatMap((legs, number) => execution(symbol, number, legs)))

type Leg = Pick<Fill, 'leg' | 'venue' | 'side' | 'price' | 'quantity' | 'fee'>

function execution(symbol: string, number: number, legs: readonly Leg[]): Told[] {
  const opportunityId = `${symbol} ${number}`
  const time = 1_000 + number * 10
  const feeAsset = symbol.split('/')[1]!
  const fills = legs.map((one, i) =>
    aFill({
      ...{ id: `${opportunityId} ${i}`, clientOrderId: `${opportunityId} ${one.leg}` },
      ...{ opportunityId, symbol, feeAsset, time: time + i, ...one },
    }),
  )
  const residual = fills.reduce(
    (open, { side, quantity }) => (side === 'buy' ? open.plus(quantity) : open.minus(quantity)),
    decimal(0),
  )
  const outcome = fills.length === 0 ? 'none' : residual.eq(0) ? 'filled' : 'exposed'
  const end = anEnd({ opportunityId, symbol, outcome, residual: decimalText(residual), time: time + 9 })
  return [...fills, end].map(told)
}

/**
 * An order in which workers of different symbols may book these stories: each symbol's events in order, what was
 * told already told again at any time.
 */
export function interleave(stories: readonly (readonly Told[])[], choices: readonly number[]): Told[] {
  const next = stories.map(() => 0)
  const order: Told[] = []
  for (let i = 0; ; i++) {
    const open = stories.flatMap((story, s) => (next[s]! < story.length ? [s] : []))
    if (open.length === 0) return order
    const choice = choices.length > 0 ? choices[i % choices.length]! : i
    const s = open[choice % open.length]!
    order.push(stories[s]![next[s]!++]!)
    // One in three is followed by a redelivery of something that was told before.
    if (choice % 3 === 0) order.push(order[choice % order.length]!)
  }
}

/** The ledger's tables, each in the order of its key. */
export async function tablesOf({ sql, t }: Tx) {
  const sorted = (rows: readonly object[]) => rows.map((row) => JSON.stringify(row)).sort()
  return {
    fills: sorted(await sql.select().from(t.fills)),
    cash: sorted(await sql.select().from(t.cash)),
    positions: sorted(await sql.select().from(t.positions)),
    trades: sorted(await sql.select().from(t.trades)),
    equity: sorted(await sql.select().from(t.equitySnapshots)),
    inbox: sorted(await sql.select().from(t.inbox)),
  }
}

export async function emptyTables({ sql, t }: Tx): Promise<void> {
  for (const table of [t.fills, t.cash, t.positions, t.trades, t.equitySnapshots, t.inbox, t.outbox]) {
    await sql.delete(table)
  }
}
