// An intent is the row, an order is what goes to the venue. The order is made from the row alone (and the entry
// that the opportunity names), so whoever sends it again sends the same.
import type { Opportunity } from '../catalog/index.ts'
import type { Tx } from '../db/index.ts'
import { type Decimal, decimal, deriveId, SluiceError } from '../kernel/index.ts'
import type { Order, OrderResult } from '../venues/index.ts'

export type Intent = Tx['t']['intents']['$inferSelect']

/** 0 buy, 1 sell, 2 and up: unwinding. The same on every machine. */
export const clientOrderIdOf = (opportunityId: string, leg: number) => deriveId(opportunityId, leg)

/** An intent with what the venue made of it. */
export interface Leg {
  readonly intent: Intent
  readonly result: OrderResult
}

export function orderOf(intent: Intent, opportunity: Opportunity): Order {
  const source = opportunity.sources.find((s) => s.venue === intent.venue)
  if (!source) {
    const facts = { opportunityId: opportunity.id, venue: intent.venue }
    throw new SluiceError('USAGE', `Opportunity ${opportunity.id} names no entry of ${intent.venue}.`, facts)
  }
  const { stream, entry, partition } = source
  return {
    clientOrderId: intent.clientOrderId,
    symbol: intent.symbol,
    side: intent.side,
    quantity: decimal(intent.quantity),
    limitPrice: intent.limitPrice === null ? undefined : decimal(intent.limitPrice),
    time: intent.decidedAt,
    decidedOn: { stream, entry, partition },
  }
}

export const filledOf = (result: OrderResult): Decimal =>
  result.fills.reduce((sum, fill) => sum.plus(fill.quantity), decimal(0))

/** Base bought less base sold over all legs. */
export const imbalanceOf = (legs: readonly Leg[]): Decimal =>
  legs.reduce((sum, { intent, result }) => {
    const filled = filledOf(result)
    return intent.side === 'buy' ? sum.plus(filled) : sum.minus(filled)
  }, decimal(0))

/** Time of the newest fill, whole ms; `fallback` when nothing was filled. */
export const lastFillTime = (legs: readonly Leg[], fallback: number): number =>
  Math.round(
    legs.flatMap((leg) => leg.result.fills).reduce((last, fill) => Math.max(last, fill.time), fallback),
  )
