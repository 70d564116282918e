// The simulated market as a feed: the pure core decides what happens, the clock when.
import { type BoardOf, splitByBoard } from '../catalog/index.ts'
import type { Clock, Config, Task } from '../kernel/index.ts'
import type { FeedStep, PublishSteps } from './feed.ts'
import { type MarketUpdate, nextUpdate, spacingMs, startMarket } from './simulation/market.ts'
import { seededRandom } from './simulation/random.ts'
import type { VenueTable } from './venue-table.ts'

export interface SimulateOptions {
  readonly config: Pick<Config, 'SIM_SEED' | 'SIM_UPDATES_PER_SECOND' | 'BOOK_LEVELS'>
  readonly venues: VenueTable
  readonly boardOf: BoardOf
  readonly clock: Clock
  readonly publish: PublishSteps
}

// A publisher that was held up goes on from now: quotes of the past would be lies with fresh stamps.
const BEHIND_MAX_MS = 1_000
const BATCH_MAX = 500
const PAUSE_MIN_MS = 5

/** SIM_UPDATES_PER_SECOND books of each instrument at each simulated venue, until told to stop. */
export function simulate({ config, venues, boardOf, clock, publish }: SimulateOptions): Task {
  return async (signal) => {
    const random = seededRandom(config.SIM_SEED)
    const specs = venues
      .names()
      .map(venues.require)
      .filter((spec) => spec.kind === 'simulated')
    const market = startMarket(specs, config.SIM_UPDATES_PER_SECOND, random)
    const spacing = spacingMs(market)
    let origin = clock.monotonic()
    while (!signal.aborted) {
      const elapsedMs = clock.monotonic() - origin
      const behindMs = elapsedMs - market.count * spacing
      if (behindMs > BEHIND_MAX_MS) origin += behindMs
      const due = Math.floor((clock.monotonic() - origin) / spacing) + 1
      const steps: FeedStep[] = []
      while (market.count < due && steps.length < BATCH_MAX) {
        const update = nextUpdate(market, random)
        steps.push(stepOf(update, market.count, clock.now(), config.BOOK_LEVELS, boardOf))
      }
      if (steps.length > 0) await publish(steps)
      // A full batch means that more is due already.
      if (steps.length === BATCH_MAX) continue
      const untilNextMs = market.count * spacing - (clock.monotonic() - origin)
      await clock.sleep(Math.max(PAUSE_MIN_MS, untilNextMs), signal)
    }
  }
}

function stepOf(
  update: MarketUpdate,
  sequence: number,
  now: number,
  levels: number,
  boardOf: BoardOf,
): FeedStep {
  const { venue, symbol, latencyMs, book } = update
  const time = Math.floor(now)
  const quote = {
    symbol,
    bids: book.bids.slice(0, levels),
    asks: book.asks.slice(0, levels),
    time: time - latencyMs,
  }
  return { sequence, time, messages: splitByBoard(venue, [quote], boardOf, true) }
}
