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
  const placesOf = placesIn(there)
  return ticks.flatMap((tick) => placeBeside(placesOf(tick), tick) ?? [])
}

/** Of one symbol, source and time: who share it are told apart by their sequences alone. */
const groupOf = ({ symbol, source, time, nanos }: Tick): string => `${time} ${nanos} ${source}\n${symbol}`

/** By sequence, what is kept in the group of a tick. */
function placesIn(there: readonly Tick[]): (tick: Tick) => Map<number, Tick> {
  const places = new Map<string, Map<number, Tick>>()
  const placesOf = (tick: Tick): Map<number, Tick> => {
    const key = groupOf(tick)
    let taken = places.get(key)
    if (!taken) {
      taken = new Map()
      places.set(key, taken)
    }
    return taken
  }
  for (const tick of there) placesOf(tick).set(tick.sequence, tick)
  return placesOf
}

/** How ticks of another store are laid beside what is there. */
export interface Copied {
  /** What is there and goes, because its whole group is laid out anew. */
  readonly gone: ReadonlySet<Tick>
  /** What is written instead and besides. */
  readonly fresh: readonly Tick[]
  /** How many of the ticks were there, under whatever sequence. */
  readonly duplicate: number
}

/**
 * For ticks that are all another store has of their groups. Where the two stores do not agree about a group (other
 * content in one place, or one content in two places), it becomes as the other store has it, and the ticks whose content
 * was only here keep their places or get the next free ones.
 */
export function placeCopied(there: readonly Tick[], ticks: readonly Tick[]): Copied {
  const placesOf = placesIn(there)
  // Who was killed between two files of a copy left it in both.
  const isTwin = (tick: Tick) => placesOf(tick).get(tick.sequence) !== tick
  const copied = Map.groupBy(ticks, groupOf)
  const anew = new Set<string>()
  for (const tick of there) {
    const group = copied.get(groupOf(tick))
    if (group && (isTwin(tick) || !isAgreed(group, tick))) anew.add(groupOf(tick))
  }
  const isAnew = (tick: Tick) => anew.has(groupOf(tick))
  const gone = there.filter(isAnew)
  const given = ticks.filter(isAnew)
  const beside = ticks.filter((tick) => !isAnew(tick))
  const added = beside.flatMap((tick) => placeBeside(placesOf(tick), tick) ?? [])
  const whole = gone.filter(
    (tick) => !(isTwin(tick) && sameContent(placesOf(tick).get(tick.sequence)!, tick)),
  )
  const only = without(whole.toSorted(compareTicks), given)
  return {
    gone: new Set(gone),
    fresh: [...added, ...given, ...behind(given, only)],
    duplicate: beside.length - added.length + given.length - without(given, gone).length,
  }
}

/** It is in its place, or neither its place nor its content is among the others. */
function isAgreed(group: readonly Tick[], tick: Tick): boolean {
  const other = group.find(({ sequence }) => sequence === tick.sequence)
  return other ? sameContent(other, tick) : !group.some((each) => sameContent(each, tick))
}

/** The ticks, each in its place or the next that is free beside the others. */
function behind(others: readonly Tick[], ticks: readonly Tick[]): Tick[] {
  const placesOf = placesIn(others)
  return ticks.map((tick) => {
    const taken = placesOf(tick)
    let { sequence } = tick
    while (taken.has(sequence)) sequence++
    const placed = { ...tick, sequence }
    taken.set(sequence, placed)
    return placed
  })
}

/** Those whose content none of the others of their group has. */
function without(ticks: readonly Tick[], others: readonly Tick[]): Tick[] {
  const groups = Map.groupBy(others, groupOf)
  return ticks.filter((tick) => !groups.get(groupOf(tick))?.some((other) => sameContent(other, tick)))
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
