// A venue's book around a middle price: 20 levels a side on its tick grid, sizes in its lots. Gaps and sizes stay
// from update to update and change a few levels at a time, as real books do.
import type { Level } from '../../catalog/index.ts'
import type { Instrument } from '../venue.ts'
import type { Random } from './random.ts'

const LEVELS = 20
const REDRAWN = 3
/** Mean distance between levels, bps of the price. */
const GAP_BPS = 0.6

/** The grid of an instrument in numbers. */
export interface Grid {
  readonly tick: number
  readonly tickPlaces: number
  readonly lot: number
  readonly lotPlaces: number
  readonly minNotional: number
}

/** How deep a side is: distance to the level before in gaps, size as a multiple of the venue's depth. */
export interface Shape {
  readonly gaps: number[]
  readonly sizes: number[]
}

export function gridOf({ tick, lot, minNotional }: Instrument): Grid {
  return {
    tick: tick.toNumber(),
    tickPlaces: placesOf(tick.toFixed()),
    lot: lot.toNumber(),
    lotPlaces: placesOf(lot.toFixed()),
    minNotional: minNotional.toNumber(),
  }
}

const placesOf = (text: string) => (text.split('.')[1] ?? '').length

export function drawShape(random: Random): Shape {
  const each = (draw: () => number) => Array.from({ length: LEVELS }, draw)
  return { gaps: each(() => random.exponential()), sizes: each(() => drawSize(random)) }
}

export function redraw(shape: Shape, random: Random): void {
  for (let i = 0; i < REDRAWN; i += 1) {
    const at = Math.floor(random.uniform() * LEVELS)
    shape.gaps[at] = random.exponential()
    shape.sizes[at] = drawSize(random)
  }
}

// Log-normal: most levels are small, a few are several times as large.
const drawSize = (random: Random) => Math.exp(0.8 * random.normal())

export interface Middle {
  readonly price: number
  readonly halfSpreadBps: number
  /** Median value of the best level in the quote currency; deeper levels hold more. */
  readonly depthNotional: number
}

/** Never crossed: the best bid is below the middle's tick and the best ask at least one tick above the bid. */
export function drawBook(
  middle: Middle,
  grid: Grid,
  bid: Shape,
  ask: Shape,
): { bids: Level[]; asks: Level[] } {
  const half = (middle.price * middle.halfSpreadBps) / 10_000
  const bestBid = Math.max(1, Math.floor((middle.price - half) / grid.tick))
  const bestAsk = Math.max(bestBid + 1, Math.ceil((middle.price + half) / grid.tick))
  return {
    bids: side(bestBid, -1, middle, grid, bid),
    asks: side(bestAsk, 1, middle, grid, ask),
  }
}

function side(best: number, direction: 1 | -1, middle: Middle, grid: Grid, shape: Shape): Level[] {
  const gapTicks = (middle.price * GAP_BPS) / 10_000 / grid.tick
  const levels: Level[] = []
  let ticks = best
  for (let i = 0; i < LEVELS; i += 1) {
    if (i > 0) ticks += direction * Math.max(1, Math.round(shape.gaps[i]! * gapTicks))
    if (ticks <= 0) break
    const price = Number((ticks * grid.tick).toFixed(grid.tickPlaces))
    const notional = Math.max(middle.depthNotional * shape.sizes[i]! * (1 + 0.15 * i), grid.minNotional)
    const lots = Math.max(1, Math.ceil(notional / price / grid.lot))
    levels.push([price, Number((lots * grid.lot).toFixed(grid.lotPlaces))])
  }
  return levels
}
