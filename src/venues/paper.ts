// A venue on paper. Life of an order: its limits are checked; if the id is known its outcome is the answer; else
// it arrives PAPER_LATENCY_MS after it was decided, meets the book in force then, and the outcome is recorded under
// its id before anybody hears of it. Killed at any point, the next `place` or `find` tells the same.
import type { Bus } from '../bus/index.ts'
import type { Database } from '../db/index.ts'
import {
  type Clock,
  type Config,
  decimal,
  deriveId,
  floorTo,
  messageOf,
  SluiceError,
} from '../kernel/index.ts'
import { bookInForce } from './book-in-force.ts'
import { checkOrder, fillFromBook } from './fill.ts'
import type { Order, OrderResult, Venue, VenueSpec } from './venue.ts'
import { findOrder, recordOrder } from './venue-orders.ts'

export type PaperConfig = Pick<
  Config,
  | 'MARKET_TIME'
  | 'ORDER_TIMEOUT_MS'
  | 'PAPER_LATENCY_MS'
  | 'PAPER_REJECT_RATE'
  | 'PAPER_PARTIAL_RATE'
  | 'PAPER_SILENT_RATE'
>

export interface PaperOptions {
  readonly spec: VenueSpec
  readonly bus: Pick<Bus, 'readBack'>
  readonly database: Database
  readonly clock: Clock
  readonly config: PaperConfig
}

/**
 * Reasons it adds to those of `fillFromBook`: `rejected` and `partial` (by the rates of the configuration) and
 * `no_market` (the stream holds no book to fill from).
 */
export function openPaperVenue(options: PaperOptions): Venue {
  const { spec, database, clock, config } = options
  return {
    spec,
    find: (clientOrderId) => findOrder(database, spec.name, clientOrderId),
    async place(order, signal) {
      checkOrder(order, spec.instrument(order.symbol))
      const { result, first } = await answerOf(options, order, signal)
      if (first && drawOf('silent', order) < config.PAPER_SILENT_RATE) {
        await clock.sleep(config.ORDER_TIMEOUT_MS, signal)
        throw ambiguous(spec.name, order, 'no answer came')
      }
      return result
    },
  }
}

async function answerOf(options: PaperOptions, order: Order, signal: AbortSignal) {
  const { spec, database } = options
  try {
    const known = await findOrder(database, spec.name, order.clientOrderId, order)
    if (known) return { result: known, first: false }
    const result = await recordOrder(database, spec.name, order, await outcomeOf(options, order, signal))
    return { result, first: true }
  } catch (error) {
    // Another order under the same id, or an abort, is an answer; a broken database or stream is none.
    if (error instanceof SluiceError && ANSWERS.has(error.code)) throw error
    throw ambiguous(spec.name, order, messageOf(error), error)
  }
}

const ANSWERS = new Set(['ORDER_INVALID', 'ORDER_AMBIGUOUS'])

async function outcomeOf(options: PaperOptions, order: Order, signal: AbortSignal): Promise<OrderResult> {
  const { spec, bus, clock, config } = options
  if (drawOf('reject', order) < config.PAPER_REJECT_RATE) return nothing('rejected')
  const arrivesAt = order.time + config.PAPER_LATENCY_MS
  const question = { venue: spec.name, symbol: order.symbol, decidedOn: order.decidedOn, arrivesAt }
  const book = await bookInForce({ bus, clock, marketTime: config.MARKET_TIME }, question, signal)
  if (signal.aborted) throw ambiguous(spec.name, order, 'told to stop before the order arrived')
  if (!book) return nothing('no_market')
  const terms = {
    instrument: spec.instrument(order.symbol),
    takerFeeBps: spec.takerFeeBps,
    time: Math.floor(arrivesAt),
  }
  const part =
    drawOf('partial', order) < config.PAPER_PARTIAL_RATE ? partOf(order, terms.instrument.lot) : order
  const result = fillFromBook(part, book, terms)
  return part !== order && result.status === 'filled'
    ? { ...result, status: 'partial', reason: 'partial' }
    : result
}

/** Between a tenth and nine tenths of the order in whole lots; the order itself when it has only one lot. */
function partOf(order: Order, lot: Order['quantity']): Order {
  const share = decimal(0.1 + 0.8 * drawOf('share', order))
  const quantity = floorTo(order.quantity.times(share), lot)
  if (quantity.gt(0)) return { ...order, quantity }
  return order.quantity.gt(lot) ? { ...order, quantity: lot } : order
}

/** In [0, 1), and the same for the same order wherever and whenever it is drawn. */
function drawOf(purpose: string, { clientOrderId }: Order): number {
  // 52 bits: what a float64 holds below one without rounding up to it.
  return Number.parseInt(deriveId('paper', purpose, clientOrderId).slice(0, 13), 16) / 2 ** 52
}

const nothing = (reason: string): OrderResult => ({ status: 'rejected', reason, fills: [] })

const ambiguous = (venue: string, { clientOrderId }: Order, why: string, cause?: unknown) =>
  new SluiceError(
    'ORDER_AMBIGUOUS',
    `${venue}, order ${clientOrderId}: ${why}`,
    { venue, clientOrderId },
    cause,
  )
