// The simulated market, pure: fundamentals that move together, and each venue's quotes around them. What makes
// arbitrage possible are dislocations: for some seconds one venue's book of one instrument stands beside the
// others', by less or by more than both fees, above or below.
import type { Quote } from '../../catalog/index.ts'
import type { VenueSpec } from '../venue.ts'
import { drawBook, drawShape, type Grid, gridOf, redraw, type Shape } from './book.ts'
import { advance, type Fundamental, priceOf, startFundamentals } from './prices.ts'
import type { Random } from './random.ts'

interface Profile {
  readonly halfSpreadBps: number
  readonly depthNotional: number
  /** From the venue's matching engine to us, ms. */
  readonly latencyMs: number
}

// Cheap and fast to dear and slow, like the first, the fifth and the tenth venue of a real list.
const PROFILES: readonly Profile[] = [
  { halfSpreadBps: 0.4, depthNotional: 20_000, latencyMs: 3 },
  { halfSpreadBps: 0.7, depthNotional: 12_000, latencyMs: 8 },
  { halfSpreadBps: 0.9, depthNotional: 8_000, latencyMs: 15 },
]

/** Mean pause between the dislocations of one instrument at one venue. 18 of them: one every 6 s somewhere. */
const CALM_SECONDS = 110
/** Every fifth place is dislocated first after 2, 4, 6 and 8 s, so that who starts the system soon sees what it does. */
const EARLY = { everyPlaces: 5, afterSeconds: 2 }
const DISLOCATION_SECONDS = { least: 1, most: 6 }
// Two fees are 6 to 9 bps and two half spreads 1 to 2: about two in three reach beyond.
const DISLOCATION_BPS = { least: 4, most: 20 }
/** A venue's own middle wanders around the fundamental: standard deviation, and what stays of it in a second. */
const WANDER_BPS = 0.2
const WANDER_KEEP = 0.9

interface Place {
  readonly spec: VenueSpec
  readonly profile: Profile
  readonly fundamental: Fundamental
  readonly grid: Grid
  readonly bid: Shape
  readonly ask: Shape
  wanderBps: number
  shiftBps: number
  /** Market seconds at which the present calm or dislocation ends. */
  turnsAt: number
}

export interface MarketState {
  readonly fundamentals: readonly Fundamental[]
  readonly places: readonly Place[]
  /** Between two updates of one instrument at one venue. */
  readonly intervalSeconds: number
  /** Updates made so far. */
  count: number
}

/** One venue's new book of one instrument. */
export interface MarketUpdate {
  readonly venue: string
  readonly symbol: string
  /** When it happens, ms after the market's start. */
  readonly atMs: number
  readonly latencyMs: number
  readonly book: Pick<Quote, 'bids' | 'asks'>
}

export function startMarket(
  venues: readonly VenueSpec[],
  updatesPerSecond: number,
  random: Random,
): MarketState {
  const fundamentals = startFundamentals()
  // By instrument first, so that the venues of one instrument follow each other closely.
  const places = fundamentals.flatMap((fundamental) =>
    venues.flatMap((spec, i) => {
      if (!spec.symbols.includes(fundamental.symbol)) return []
      return [startPlace(spec, PROFILES[i % PROFILES.length]!, fundamental, random)]
    }),
  )
  for (const [i, place] of places.entries()) {
    if (i % EARLY.everyPlaces === 0) place.turnsAt = EARLY.afterSeconds * (1 + i / EARLY.everyPlaces)
  }
  return { fundamentals, places, intervalSeconds: 1 / updatesPerSecond, count: 0 }
}

const startPlace = (spec: VenueSpec, profile: Profile, fundamental: Fundamental, random: Random): Place => ({
  spec,
  profile,
  fundamental,
  grid: gridOf(spec.instrument(fundamental.symbol)),
  bid: drawShape(random),
  ask: drawShape(random),
  wanderBps: 0,
  shiftBps: 0,
  turnsAt: random.exponential() * CALM_SECONDS,
})

/** ms between two updates of the whole market. */
export const spacingMs = (state: MarketState): number => (1_000 * state.intervalSeconds) / state.places.length

/** The places take turns; before each round the fundamentals move. The same seed gives the same updates. */
export function nextUpdate(state: MarketState, random: Random): MarketUpdate {
  const { places, fundamentals, intervalSeconds } = state
  const index = state.count % places.length
  if (index === 0 && state.count > 0) advance(fundamentals, intervalSeconds, random)
  const atMs = state.count * spacingMs(state)
  state.count += 1

  const place = places[index]!
  turn(place, atMs / 1_000, random)
  const keep = WANDER_KEEP ** intervalSeconds
  place.wanderBps = place.wanderBps * keep + WANDER_BPS * Math.sqrt(1 - keep * keep) * random.normal()
  redraw(place.bid, random)
  redraw(place.ask, random)
  const { spec, profile, fundamental, grid } = place
  const price = priceOf(fundamental) * (1 + (place.wanderBps + place.shiftBps) / 10_000)
  const book = drawBook({ ...profile, price }, grid, place.bid, place.ask)
  return { venue: spec.name, symbol: fundamental.symbol, atMs, latencyMs: profile.latencyMs, book }
}

function turn(place: Place, nowSeconds: number, random: Random): void {
  if (nowSeconds < place.turnsAt) return
  if (place.shiftBps !== 0) {
    place.shiftBps = 0
    place.turnsAt = nowSeconds + random.exponential() * CALM_SECONDS
    return
  }
  const direction = random.uniform() < 0.5 ? -1 : 1
  place.shiftBps = direction * between(DISLOCATION_BPS, random)
  place.turnsAt = nowSeconds + between(DISLOCATION_SECONDS, random)
}

const between = ({ least, most }: { least: number; most: number }, random: Random) =>
  least + (most - least) * random.uniform()
