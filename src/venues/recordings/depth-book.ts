// A book kept from a snapshot and numbered differences, as Binance documents it: differences that came before the
// snapshot wait, old ones are dropped, and a hole in the numbers makes the book unknown until the next snapshot,
// because a book with a missed difference looks right and is not.
import type { Level } from '../../catalog/index.ts'

/** Quantity 0 removes the level. */
export interface Difference {
  readonly firstId: number
  readonly lastId: number
  /** Id that the difference before it ended with; futures only. */
  readonly previousId: number | undefined
  readonly bids: readonly Level[]
  readonly asks: readonly Level[]
}

/** Best bid and ask under their update id: may be ahead of the differences. */
export interface Ticker {
  readonly id: number
  readonly bid: Level
  readonly ask: Level
}

export interface DepthBook {
  snapshot(id: number, bids: readonly Level[], asks: readonly Level[]): void
  /** Returns the reason when the book became unknown. */
  apply(difference: Difference): string | undefined
  ticker(ticker: Ticker): void
  /** The best `count` levels of each side: the book, with a newer ticker on top. Undefined while nothing is known. */
  top(count: number): { bids: Level[]; asks: Level[] } | undefined
}

// Differences that wait for a snapshot. At one every 10 ms this is 20 s, more than a REST answer takes.
const WAITING_MAX = 2_000

export function openDepthBook(): DepthBook {
  let id: number | undefined
  // The first difference after a snapshot may begin before it; each later one must continue where the last ended.
  let fresh = false
  let bids: Level[] = []
  let asks: Level[] = []
  let waiting: Difference[] = []
  let latest: Ticker | undefined

  const apply = (difference: Difference): string | undefined => {
    if (id === undefined) {
      if (waiting.length === WAITING_MAX) waiting.shift()
      waiting.push(difference)
      return undefined
    }
    if (difference.lastId <= id) return undefined
    if (!continues(difference, id, fresh)) {
      const reason = `differences are missing after update ${id}; the next one begins at ${difference.firstId}`
      id = undefined
      waiting = [difference]
      return reason
    }
    for (const level of difference.bids) place(bids, level, -1)
    for (const level of difference.asks) place(asks, level, 1)
    id = difference.lastId
    fresh = false
    return undefined
  }

  return {
    apply,
    snapshot(snapshotId, newBids, newAsks) {
      id = snapshotId
      fresh = true
      bids = [...newBids]
      asks = [...newAsks]
      const held = waiting
      waiting = []
      for (const difference of held) apply(difference)
    },
    ticker(ticker) {
      if (latest === undefined || ticker.id > latest.id) latest = ticker
    },
    top(count) {
      if (latest === undefined && id === undefined) return undefined
      if (latest === undefined || (id !== undefined && id >= latest.id)) {
        return { bids: bids.slice(0, count), asks: asks.slice(0, count) }
      }
      const known = id !== undefined
      return {
        bids: under(latest.bid, known ? bids : [], count, -1),
        asks: under(latest.ask, known ? asks : [], count, 1),
      }
    },
  }
}

function continues({ firstId, previousId }: Difference, id: number, fresh: boolean): boolean {
  if (previousId === undefined) return firstId <= id + 1
  return previousId === id || (fresh && previousId < id)
}

/** The best level and what lies beyond it. */
function under(best: Level, levels: readonly Level[], count: number, direction: 1 | -1): Level[] {
  const kept: Level[] = [best]
  for (const level of levels) {
    if (kept.length >= count) break
    if ((level[0] - best[0]) * direction > 0) kept.push(level)
  }
  return kept
}

function place(levels: Level[], level: Level, direction: 1 | -1): void {
  let low = 0
  let high = levels.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((levels[middle]![0] - level[0]) * direction < 0) low = middle + 1
    else high = middle
  }
  const found = levels[low]?.[0] === level[0]
  if (level[1] === 0) {
    if (found) levels.splice(low, 1)
  } else levels.splice(low, found ? 1 : 0, level)
}
