// The outside, as a test wants it: a venue that does with each order what it is told to, and remembers everything.
// Unlike a kind exchange it notes as a fault when an order that it has is sent again.
import { decimal, SluiceError } from '../../src/kernel/index.ts'
import type { Instrument, Order, OrderResult, Venue } from '../../src/venues/index.ts'

/** What happens to the n-th call for an order (from 1). */
export type Manners =
  /** Taken and answered. */
  | 'answer'
  /** The request never arrives; no answer comes. */
  | 'lose request'
  /** Taken, but no answer comes. */
  | 'lose answer'

export interface ScriptedVenue extends Venue {
  /** Orders that it has taken, by client order id. */
  readonly taken: ReadonlyMap<string, { readonly order: Order; readonly result: OrderResult }>
  /** Client order ids that were sent although it had them. */
  readonly repeated: readonly string[]
  readonly finds: readonly string[]
}

export interface Script {
  /** Fills as [price, quantity]; fee 10 bps of the notional. */
  readonly fills: (order: Order) => readonly (readonly [number, number])[]
  readonly place?: (order: Order, call: number) => Manners
  /** Whether the n-th question is answered. */
  readonly answersFind?: (call: number) => boolean
}

export const FEE_BPS = 10

export function scriptedVenue(name: string, instrument: Instrument, script: Script): ScriptedVenue {
  const taken = new Map<string, { order: Order; result: OrderResult }>()
  const repeated: string[] = []
  const finds: string[] = []
  const calls = new Map<string, number>()
  const silence = (id: string) => new SluiceError('ORDER_AMBIGUOUS', `No answer for ${id}.`, { venue: name })

  return {
    taken,
    repeated,
    finds,
    spec: {
      name,
      kind: 'simulated',
      takerFeeBps: FEE_BPS,
      symbols: [instrument.symbol],
      instrument: () => instrument,
    },
    async place(order) {
      await Promise.resolve()
      const { clientOrderId: id } = order
      const call = (calls.get(id) ?? 0) + 1
      calls.set(id, call)
      const manners = script.place?.(order, call) ?? 'answer'
      if (manners === 'lose request') throw silence(id)
      const known = taken.get(id)
      if (known) repeated.push(id)
      const result = known?.result ?? resultOf(order, instrument, script)
      taken.set(id, { order, result })
      if (manners === 'lose answer') throw silence(id)
      return result
    },
    async find(id) {
      await Promise.resolve()
      finds.push(id)
      if (script.answersFind && !script.answersFind(finds.length)) throw silence(id)
      return taken.get(id)?.result
    },
  }
}

function resultOf(order: Order, instrument: Instrument, script: Script): OrderResult {
  const fills = script.fills(order).map(([p, q]) => {
    const [price, quantity] = [decimal(p), decimal(q)]
    const fee = price.times(quantity).times(decimal(FEE_BPS).times('0.0001'))
    return { price, quantity, fee, feeAsset: instrument.quote, time: order.time + 20 }
  })
  const filled = fills.reduce((sum, fill) => sum.plus(fill.quantity), decimal(0))
  if (filled.gte(order.quantity)) return { status: 'filled', reason: undefined, fills }
  return { status: fills.length > 0 ? 'partial' : 'rejected', reason: 'no_liquidity', fills }
}
