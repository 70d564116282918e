// The end of an execution: what the venues answered becomes the inventory, the rows and the events that the ledger
// books, in one transaction under the fence. A second settle finds the status and changes nothing.
import { type Outgoing, outgoing } from '../bus/index.ts'
import {
  type ExecutionCompleted,
  type ExecutionEvent,
  executions,
  type Opportunity,
} from '../catalog/index.ts'
import type { Tx } from '../db/index.ts'
import { type Decimal, decimal, decimalText } from '../kernel/index.ts'
import { checkFence, type Fence } from '../locks/index.ts'
import type { Instrument } from '../venues/index.ts'
import { type Holding, settleInventory } from './inventory.ts'
import { imbalanceOf, type Leg, lastFillTime } from './orders.ts'
import { completeExecution, completeIntents } from './store.ts'

/** Writes events in the transaction; they are published after it commits. */
export type Enqueue = (tx: Tx, events: readonly Outgoing[]) => Promise<void>

export interface Settlement {
  readonly outcome: ExecutionCompleted['outcome']
  /** Base bought less base sold. */
  readonly residual: Decimal
  /** Quote units over all legs after fees; what remains exposed is not valued. */
  readonly profit: Decimal
}

export interface SettleTerms {
  readonly opportunity: Opportunity
  /** In order of leg; every one answered. */
  readonly legs: readonly Leg[]
  readonly instrument: Pick<Instrument, 'base' | 'quote'>
  /** Why a residual stays, when one does. */
  readonly reason: string | undefined
  readonly enqueue: Enqueue
}

/** Throws FENCED when another took the execution over. */
export async function settle(tx: Tx, fence: Fence, terms: SettleTerms): Promise<Settlement> {
  const { opportunity, legs, instrument, reason, enqueue } = terms
  await checkFence(tx, fence)
  const settlement = settlementOf(legs, instrument)
  const completedAt = lastFillTime(legs, legs[0]?.intent.decidedAt ?? Math.round(opportunity.openedAt))
  const { outcome } = settlement
  const isFirst = await completeExecution(tx, opportunity.id, { outcome, reason, completedAt })
  if (!isFirst) return settlement
  await completeIntents(tx, legs)
  await settleInventory(tx, opportunity.id, changesOf(legs, instrument))
  await enqueue(tx, eventsOf(opportunity, legs, settlement, completedAt))
  return settlement
}

function settlementOf(legs: readonly Leg[], { base, quote }: Pick<Instrument, 'base' | 'quote'>): Settlement {
  const residual = imbalanceOf(legs)
  const hasFills = legs.some((leg) => leg.result.fills.length > 0)
  const hasUnwound = legs.some((leg) => leg.intent.leg >= 2 && leg.result.fills.length > 0)
  const profit = changesOf(legs, { base, quote })
    .filter((change) => change.asset === quote)
    .reduce((sum, change) => sum.plus(change.amount), decimal(0))
  const outcome = !hasFills ? 'none' : !residual.eq(0) ? 'exposed' : hasUnwound ? 'unwound' : 'filled'
  return { outcome, residual, profit }
}

/** What the fills brought and took, by venue and asset, each fee in its own asset. */
function changesOf(legs: readonly Leg[], { base, quote }: Pick<Instrument, 'base' | 'quote'>): Holding[] {
  const changes = new Map<string, Holding>()
  const add = (venue: string, asset: string, amount: Decimal) => {
    const key = `${venue} ${asset}`
    const before = changes.get(key)?.amount ?? decimal(0)
    changes.set(key, { venue, asset, amount: before.plus(amount) })
  }
  for (const { intent, result } of legs) {
    const sign = intent.side === 'buy' ? 1 : -1
    for (const fill of result.fills) {
      add(intent.venue, base, fill.quantity.times(sign))
      add(intent.venue, quote, fill.price.times(fill.quantity).times(-sign))
      add(intent.venue, fill.feeAsset, fill.fee.times(-1))
    }
  }
  return [...changes.values()]
}

/** Fills in order of leg, then the end: the ledger reads them as one story because they share a key. */
function eventsOf(
  opportunity: Opportunity,
  legs: readonly Leg[],
  { outcome, residual }: Settlement,
  time: number,
): Outgoing[] {
  const { id: opportunityId, symbol, buyVenue, sellVenue, simulated } = opportunity
  const fills: ExecutionEvent[] = legs.flatMap(({ intent, result }) =>
    result.fills.map((fill, n) => ({
      type: 'fill' as const,
      id: `${intent.clientOrderId}:${n + 1}`,
      clientOrderId: intent.clientOrderId,
      opportunityId,
      leg: intent.leg,
      venue: intent.venue,
      symbol,
      side: intent.side,
      price: decimalText(fill.price),
      quantity: decimalText(fill.quantity),
      fee: decimalText(fill.fee),
      feeAsset: fill.feeAsset,
      time: fill.time,
      simulated,
    })),
  )
  const completed: ExecutionEvent = {
    type: 'completed',
    opportunityId,
    symbol,
    buyVenue,
    sellVenue,
    outcome,
    residual: decimalText(residual),
    time,
    simulated,
  }
  return [...fills, completed].map((event) =>
    outgoing(executions, event.type === 'fill' ? event.id : `${opportunityId}:completed`, event, {
      type: event.type,
      time: event.time,
    }),
  )
}
