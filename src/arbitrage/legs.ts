// From written intents to answers. Both legs go out at once; what one filled more than the other is traded back
// under intents of their own, each committed before it is sent.
import type { Opportunity } from '../catalog/index.ts'
import type { Database } from '../db/index.ts'
import { type Clock, type Decimal, decimalText, ratio, SluiceError, ZERO } from '../kernel/index.ts'
import { checkFence, type Held } from '../locks/index.ts'
import type { Venue } from '../venues/index.ts'
import type { Written } from './decide.ts'
import type { ArbitrageEmitter } from './events.ts'
import { filledOf, type Intent, type Leg, lastFillTime, orderOf } from './orders.ts'
import { planUnwind, type Unwind } from './plan-unwind.ts'
import { resolveOrder } from './resolve-order.ts'
import { insertIntent } from './store.ts'

export interface LegOptions {
  readonly database: Database
  readonly clock: Clock
  readonly venue: (name: string) => Venue | undefined
  readonly time: 'wall' | 'event'
  readonly events: ArbitrageEmitter
  readonly patienceMs?: number
}

export interface CompletedLegs {
  readonly legs: readonly Leg[]
  /** What stays when a difference could not be traded back. */
  readonly exposed:
    | { readonly venue: string; readonly residual: Decimal; readonly reason: string }
    | undefined
}

// In wall time a book that had nobody to trade with gets a moment to refill.
const UNWIND_PAUSE_MS = 200

/** Throws when an answer is missing: what was written stays, and the next delivery goes on from there. */
export async function completeLegs(
  options: LegOptions,
  opportunity: Opportunity,
  held: Held,
  { intents, kind }: Written,
): Promise<CompletedLegs> {
  const terms = {
    buyVenue: opportunity.buyVenue,
    sellVenue: opportunity.sellVenue,
    instrument: (name: string) => venueOf(options, name).spec.instrument(opportunity.symbol),
  }
  const legs = await sendAll(options, opportunity, held, intents, kind === 'recovered')
  for (;;) {
    const unwind = planUnwind(legs, terms)
    if (unwind.kind === 'even') return { legs, exposed: undefined }
    if (unwind.kind === 'exposed') return { legs, exposed: unwind }
    if (legs.length > 2 && options.time === 'wall') await options.clock.sleep(UNWIND_PAUSE_MS, held.signal)
    const intent = await writeUnwind(options, opportunity, held, legs, unwind)
    const leg = await send(options, opportunity, held, intent, false)
    legs.push(leg)
    reportUnwound(options, legs, leg)
  }
}

/** All of them are settled before the first failure is thrown: nothing is left running. */
async function sendAll(
  options: LegOptions,
  opportunity: Opportunity,
  held: Held,
  intents: readonly Intent[],
  askFirst: boolean,
): Promise<Leg[]> {
  const sent = await Promise.allSettled(
    intents.map((intent) => send(options, opportunity, held, intent, askFirst)),
  )
  return sent.map((outcome) => {
    if (outcome.status === 'rejected') throw outcome.reason
    return outcome.value
  })
}

async function send(
  options: LegOptions,
  opportunity: Opportunity,
  held: Held,
  intent: Intent,
  askFirst: boolean,
): Promise<Leg> {
  const { clock, events, patienceMs = 5_000 } = options
  const { clientOrderId, venue, opportunityId, symbol } = intent
  // A pause since the commit may have outlived the lock before its timer could fire.
  if (held.remainingMs() <= 0) {
    throw new SluiceError('LOCK_LOST', `The lock of ${symbol} ended before ${clientOrderId} was sent.`, {
      opportunityId,
    })
  }
  const result = await resolveOrder({
    venue: venueOf(options, venue),
    order: orderOf(intent, opportunity),
    askFirst,
    clock,
    patienceMs,
    signal: held.signal,
    onAmbiguous: () => events.emit('ambiguous', { opportunityId, symbol, venue, clientOrderId }),
  })
  return { intent, result }
}

function writeUnwind(
  { database, time, clock }: LegOptions,
  opportunity: Opportunity,
  held: Held,
  legs: readonly Leg[],
  { venue, side, quantity }: Extract<Unwind, { kind: 'trade' }>,
): Promise<Intent> {
  // In event time the earliest moment at which the difference was known.
  const decidedAt = Math.round(time === 'event' ? lastFillTime(legs, legs[0]!.intent.decidedAt) : clock.now())
  return database.write(async (tx) => {
    await checkFence(tx, held)
    const terms = { leg: legs.length, venue, side, quantity, limitPrice: undefined }
    return insertIntent(tx, opportunity, terms, held, decidedAt)
  })
}

/** The cost is what trading back lost against the price of the leg that filled too much, its fees included. */
function reportUnwound({ events }: LegOptions, legs: readonly Leg[], { intent, result }: Leg): void {
  const { opportunityId, symbol, side, venue } = intent
  const filled = filledOf(result)
  if (filled.eq(0)) return
  const notionalOf = (fills: Leg['result']['fills']) =>
    fills.reduce((sum, fill) => sum.plus(fill.price.times(fill.quantity)), ZERO)
  const fees = result.fills.reduce((sum, fill) => sum.plus(fill.fee), ZERO)
  const excess = legs.filter((leg) => leg.intent.venue === venue && leg.intent.side !== side)
  const excessFills = excess.flatMap((leg) => leg.result.fills)
  const excessFilled = excess.reduce((sum, leg) => sum.plus(filledOf(leg.result)), ZERO)
  const before = ratio(notionalOf(excessFills).times(filled), excessFilled, 8)
  const after = notionalOf(result.fills)
  const cost = (side === 'sell' ? before.minus(after) : after.minus(before)).plus(fees)
  events.emit('unwound', { opportunityId, symbol, quantity: decimalText(filled), cost: decimalText(cost) })
}

function venueOf({ venue }: LegOptions, name: string): Venue {
  const found = venue(name)
  if (found) return found
  throw new SluiceError('VENUE_UNKNOWN', `No venue ${name} is configured.`, { venue: name })
}
