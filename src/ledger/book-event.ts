// Books one event of the stream `arbitrage.executions`. Everything it changes, the inbox row that makes it happen
// once and the message that drops cached answers stand in one transaction.

import { enqueueTell, firstTime } from '../bus/index.ts'
import { encodeDrops } from '../cache/index.ts'
import {
  CACHE_DROPS,
  type ExecutionCompleted,
  type ExecutionEvent,
  FILL_DROPS,
  type Fill,
  TRADE_DROPS,
} from '../catalog/index.ts'
import type { Tx } from '../db/index.ts'
import { decimal, SluiceError } from '../kernel/index.ts'
import { bookFill } from './booking.ts'
import {
  changeCash,
  changePosition,
  fillRow,
  findTrade,
  insertFill,
  insertTrade,
  settleOpportunity,
  takeSnapshot,
  updateTrade,
  wholeMs,
} from './store.ts'

export const LEDGER_GROUP = 'ledger'

const AFTER_FILL = encodeDrops(FILL_DROPS)
const AFTER_TRADE = encodeDrops(TRADE_DROPS)

export interface Booked {
  readonly result: 'booked' | 'duplicate'
  /** Set when it was booked and still contradicts what was said: an alarm, not a reason to lose the event. */
  readonly mismatch?: string
}

const DUPLICATE: Booked = { result: 'duplicate' }
const BOOKED: Booked = { result: 'booked' }

/**
 * Throws LEDGER_MISMATCH, and books nothing, for an event that contradicts one that is booked under the same
 * identity: a fill with the id of another, a second and different end of an execution, a fee in a foreign asset.
 */
export async function bookEvent(tx: Tx, eventId: string, event: ExecutionEvent): Promise<Booked> {
  // The time of the event, not of the booking: a replay gives the same row.
  if (!(await firstTime(tx, LEDGER_GROUP, eventId, wholeMs(event.time)))) return DUPLICATE
  return event.type === 'fill' ? bookFillEvent(tx, event) : bookCompleted(tx, event)
}

async function bookFillEvent(tx: Tx, fill: Fill): Promise<Booked> {
  const booking = bookFill(fill)
  const row = fillRow(fill)
  if (!(await insertFill(tx, row))) return DUPLICATE
  await changeCash(tx, booking.cash, row.time)
  await changePosition(tx, row, booking.sums)
  const trade = await findTrade(tx, fill.opportunityId)
  if (!trade) {
    await enqueueTell(tx, CACHE_DROPS, AFTER_FILL)
    return BOOKED
  }
  // Its execution was said to be complete. What was filled is filled: the trade is settled anew.
  const settlement = (await settleOpportunity(tx, fill.opportunityId))!
  await updateTrade(tx, fill.opportunityId, settlement)
  const profit = settlement.profit.minus(decimal(trade.profit))
  await takeSnapshot(tx, { symbol: fill.symbol, cause: fill.id, time: fill.time, profit })
  await enqueueTell(tx, CACHE_DROPS, AFTER_TRADE)
  return { result: 'booked', mismatch: `fill ${fill.id} came after the end of its execution` }
}

async function bookCompleted(tx: Tx, completed: ExecutionCompleted): Promise<Booked> {
  const { opportunityId, symbol } = completed
  const known = await findTrade(tx, opportunityId)
  if (known) {
    if (known.outcome === completed.outcome && known.completedAt === wholeMs(completed.time)) return DUPLICATE
    throw new SluiceError(
      'LEDGER_MISMATCH',
      `Execution ${opportunityId} ended as ${known.outcome} and is said to have ended as ${completed.outcome}.`,
      { opportunityId, booked: known, received: completed },
    )
  }
  const settlement = await settleOpportunity(tx, opportunityId)
  if (!settlement) {
    if (completed.outcome === 'none') return BOOKED
    return { result: 'booked', mismatch: `it ended as ${completed.outcome} and no fill of it is booked` }
  }
  await insertTrade(tx, completed, settlement)
  const { profit, residualQuantity } = settlement
  await takeSnapshot(tx, { symbol, cause: opportunityId, time: completed.time, profit })
  await enqueueTell(tx, CACHE_DROPS, AFTER_TRADE)
  if (residualQuantity.eq(decimal(completed.residual))) return BOOKED
  const mismatch = `its fills leave ${residualQuantity.toFixed()} open, and it was said to leave ${completed.residual}`
  return { result: 'booked', mismatch }
}
