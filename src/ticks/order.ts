// In which order ticks are answered, which are the same, and where one goes whose place is taken: said once, so that
// all stores agree.
import type { Tick, TickCursor } from './tick.ts'

/** Texts by their bytes in UTF-8, as SQL compares them; JavaScript's own order differs above U+D7FF. */
export function compareText(a: string, b: string): number {
  if (a === b) return 0
  const shorter = Math.min(a.length, b.length)
  for (let at = 0; at < shorter; at++) {
    const [x, y] = [a.charCodeAt(at), b.charCodeAt(at)]
    if (x !== y) return rank(x) - rank(y)
  }
  return a.length - b.length
}

// Surrogates stand for characters above all others, but their units lie below U+E000.
function rank(unit: number): number {
  if (unit < 0xd800) return unit
  return unit < 0xe000 ? unit + 0x2000 : unit - 0x800
}

/** By (time, nanos, source, sequence). */
export function compareTicks(a: TickCursor, b: TickCursor): number {
  return a.time - b.time || a.nanos - b.nanos || compareText(a.source, b.source) || a.sequence - b.sequence
}

/** All that is not key: two ticks of one key and the same content are one tick. Prices are compared bit by bit. */
export function sameContent(a: Tick, b: Tick): boolean {
  return (
    Object.is(a.bid, b.bid) &&
    Object.is(a.ask, b.ask) &&
    Object.is(a.bidSize, b.bidSize) &&
    Object.is(a.askSize, b.askSize) &&
    Object.is(a.volume, b.volume) &&
    a.flags === b.flags &&
    a.broker === b.broker
  )
}

/**
 * Those of the ticks that are not there yet, in their order, each under the next free sequence where its own has other
 * content. `there` is what is kept at their times. As if they were written one by one.
 */
export function placeAll(there: readonly Tick[], ticks: readonly Tick[]): Tick[] {
  const places = new Map<string, Map<number, Tick>>()
  const placesOf = ({ symbol, source, time, nanos }: Tick): Map<number, Tick> => {
    const key = `${time} ${nanos} ${source}\n${symbol}`
    let taken = places.get(key)
    if (!taken) {
      taken = new Map()
      places.set(key, taken)
    }
    return taken
  }
  for (const tick of there) placesOf(tick).set(tick.sequence, tick)
  return ticks.flatMap((tick) => placeBeside(placesOf(tick), tick) ?? [])
}

function placeBeside(taken: Map<number, Tick>, tick: Tick): Tick | undefined {
  let { sequence } = tick
  for (let other = taken.get(sequence); other; other = taken.get(++sequence)) {
    if (sameContent(other, tick)) return undefined
  }
  const placed = sequence === tick.sequence ? tick : { ...tick, sequence }
  taken.set(sequence, placed)
  return placed
}
