// The one transaction that decides: under the fence it finds what was decided before, or plans against the
// inventory, sets aside what the legs may take, and writes both intents. Half of it is never seen.
import type { Opportunity } from '../catalog/index.ts'
import type { Tx } from '../db/index.ts'
import { type Decimal, SluiceError } from '../kernel/index.ts'
import { checkFence, type Fence } from '../locks/index.ts'
import type { Instrument, Venue } from '../venues/index.ts'
import { lockAvailable, reserve } from './inventory.ts'
import type { Intent } from './orders.ts'
import { planExecution } from './plan.ts'
import type { Denial } from './risk.ts'
import { adoptExecution, findExecution, insertExecution, insertRefusal } from './store.ts'

export interface DecideTerms {
  readonly opportunity: Opportunity
  readonly venue: (name: string) => Venue | undefined
  readonly maxNotional: Decimal
  /** ms UTC. */
  readonly decidedAt: number
}

/** Intents that are written, whether just now or by a former holder. */
export interface Written {
  readonly kind: 'written' | 'recovered'
  readonly intents: readonly Intent[]
  readonly instrument: Instrument
}

export type Decision =
  | { readonly kind: 'done' }
  | { readonly kind: 'refused'; readonly denial: Denial }
  | Written

/** Throws FENCED when another has held the lock since. */
export async function decide(tx: Tx, fence: Fence, terms: DecideTerms): Promise<Decision> {
  const { opportunity, venue, maxNotional, decidedAt } = terms
  const { id, symbol, buyVenue, sellVenue } = opportunity
  await checkFence(tx, fence)
  const known = await findExecution(tx, id)
  if (known && known.status !== 'pending') return { kind: 'done' }
  const [buy, sell] = [specOf(venue, buyVenue), specOf(venue, sellVenue)]
  const instrument = buy.instrument(symbol)
  if (known) return { kind: 'recovered', intents: await adoptExecution(tx, id, fence), instrument }

  const { base, quote } = instrument
  const spent = { venue: buyVenue, asset: quote }
  const sold = { venue: sellVenue, asset: base }
  const [quoteAvailable, baseAvailable] = await lockAvailable(tx, [spent, sold])
  const result = planExecution(opportunity, {
    buy: { instrument, takerFeeBps: buy.takerFeeBps },
    sell: { instrument: sell.instrument(symbol), takerFeeBps: sell.takerFeeBps },
    maxNotional,
    quoteAvailable: quoteAvailable!,
    baseAvailable: baseAvailable!,
  })
  if ('denial' in result) {
    await insertRefusal(tx, opportunity, result.denial, decidedAt)
    return { kind: 'refused', denial: result.denial }
  }
  const { plan } = result
  await reserve(tx, id, [
    { ...spent, amount: plan.quoteNeeded },
    { ...sold, amount: plan.baseNeeded },
  ])
  return {
    kind: 'written',
    intents: await insertExecution(tx, opportunity, plan, fence, decidedAt),
    instrument,
  }
}

function specOf(venue: (name: string) => Venue | undefined, name: string): Venue['spec'] {
  const found = venue(name)
  if (found) return found.spec
  throw new SluiceError('VENUE_UNKNOWN', `No venue ${name}; an execution there is pending.`, { venue: name })
}
