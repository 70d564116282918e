// Gets one order an answer. What became of an order is asked before it is sent again, and it is sent again only
// under the same client order id: an order without an answer is ambiguous, never rejected.
import { type Clock, isSluiceError, SluiceError } from '../kernel/index.ts'
import type { Order, OrderResult, Venue } from '../venues/index.ts'

export interface ResolveOptions {
  readonly venue: Venue
  readonly order: Order
  /** The order may be at the venue already: ask before sending. */
  readonly askFirst: boolean
  readonly clock: Clock
  /** After this long without an answer it is left for later, also in the middle of a call, ms. */
  readonly patienceMs: number
  readonly signal: AbortSignal
  readonly onAmbiguous: () => void
}

const FIRST_PAUSE_MS = 50
const LAST_PAUSE_MS = 1_000

/** Throws ORDER_AMBIGUOUS when the venue stays silent or the signal aborts: the order may exist. */
export async function resolveOrder(options: ResolveOptions): Promise<OrderResult> {
  const { clock, patienceMs } = options
  const answered = new AbortController()
  const impatient = new AbortController()
  // A call that waits (the paper venue does, for the market's time) must end before the handler's own time is up:
  // a handler that is cut off has used an attempt, and an execution that is pending must never run out of them.
  const watch = clock.sleep(patienceMs, answered.signal).then(() => impatient.abort())
  try {
    return await askUntilAnswered(options, AbortSignal.any([options.signal, impatient.signal]))
  } finally {
    answered.abort()
    await watch
  }
}

async function askUntilAnswered(options: ResolveOptions, signal: AbortSignal): Promise<OrderResult> {
  const { venue, order, clock, onAmbiguous } = options
  let mustAsk = options.askFirst
  let isInvalid = false
  for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(pauseMs * 2, LAST_PAUSE_MS)) {
    try {
      const found = mustAsk ? await venue.find(order.clientOrderId, signal) : undefined
      if (found) return found
      if (isInvalid) return { status: 'rejected', reason: 'invalid', fills: [] }
      if (signal.aborted) throw ambiguous(order, venue, signal.reason)
      mustAsk = true
      return await venue.place(order, signal)
    } catch (error) {
      // Refused before it was sent, so it is not there; unless an earlier one went out under other limits.
      if (isSluiceError(error, 'ORDER_INVALID')) {
        isInvalid = true
        mustAsk = true
        continue
      }
      if (!isSluiceError(error, 'ORDER_AMBIGUOUS')) throw error
      onAmbiguous()
      if (signal.aborted) throw error
      await clock.sleep(pauseMs, signal)
    }
  }
}

const ambiguous = (order: Order, venue: Venue, cause: unknown) => {
  const facts = { venue: venue.spec.name, clientOrderId: order.clientOrderId }
  return new SluiceError(
    'ORDER_AMBIGUOUS',
    `No answer for order ${order.clientOrderId} in time.`,
    facts,
    cause,
  )
}
