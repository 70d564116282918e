// The port in its simplest form, in memory: what the stores are compared with. It can be given faults, each a way in
// which a store has gone wrong, to show that the suite sees them.
import { checkCount, checkTicks } from '../../src/ticks/check-tick.ts'
import type { Tick, TickQuery, TickSeries, TickStore, Written } from '../../src/ticks/tick.ts'

export type Fault =
  | 'drops ticks of one time'
  | 'drops ticks of one millisecond'
  | 'keeps the first content of a key'
  | 'keeps the last content of a key'
  | 'counts duplicates as stored'
  | 'stores duplicates'
  | 'orders by price'
  | 'orders by arrival'
  | 'orders sources by UTF-16'
  | 'loses nanoseconds'
  | 'rounds prices'
  | 'loses the sign of zero'
  | 'takes unknown sizes for zero'
  | 'drops the broker'
  | 'includes the end of a range'
  | 'ignores the source'
  | 'gives the newest first'
  | 'gives the oldest as recent'
  | 'continues behind the time'
  | 'files late ticks under the day of arrival'
  | 'forgets when it is closed'
  | 'reads what it had when it was opened'
  | 'stores what came before a wrong tick'
  | 'throttles'

export interface Shelf {
  ticks: Tick[]
}

export function openModel(shelf: Shelf, fault?: Fault): TickStore {
  const opened = [...shelf.ticks]
  const held = () => (fault === 'reads what it had when it was opened' ? opened : shelf.ticks)
  const of = (query: TickQuery) => rangeOf(held(), query, fault)
  return {
    async write(ticks) {
      if (fault === 'stores what came before a wrong tick') {
        for (const tick of ticks) {
          checkTicks([tick])
          put(shelf, tick, fault)
        }
        return { stored: ticks.length, duplicate: 0 }
      }
      checkTicks(ticks)
      const written: { -readonly [K in keyof Written]: Written[K] } = { stored: 0, duplicate: 0 }
      for (const tick of ticks) written[put(shelf, tick, fault)]++
      return written
    },
    range: async (query) => of(query),
    async recent(symbol, count, source) {
      checkCount(count, 'count')
      const all = of({
        symbol,
        from: 0,
        to: Number.MAX_SAFE_INTEGER,
        ...(source !== undefined && { source }),
      })
      return fault === 'gives the oldest as recent'
        ? all.slice(0, count)
        : all.slice(all.length - Math.min(count, all.length))
    },
    series: async (day) => seriesOf(held(), fault).filter((one) => day === undefined || one.day === day),
    async close() {
      if (fault === 'forgets when it is closed') shelf.ticks = []
    },
  }
}

function put(shelf: Shelf, given: Tick, fault: Fault | undefined): 'stored' | 'duplicate' {
  const tick = damaged(given, fault)
  const together = shelf.ticks.filter((one) => sameTime(one, tick))
  const last = shelf.ticks.findLast(({ symbol }) => symbol === tick.symbol)
  if (fault === 'throttles' && last && Math.abs(tick.bid - last.bid) / last.bid < 1e-5) return 'stored'
  if (fault === 'drops ticks of one time' && together.length > 0) return 'stored'
  if (
    fault === 'drops ticks of one millisecond' &&
    shelf.ticks.some((one) => sameTime({ ...one, nanos: tick.nanos }, tick))
  ) {
    return 'duplicate'
  }
  for (let { sequence } = tick; ; sequence++) {
    const at = shelf.ticks.findIndex((one) => sameTime(one, tick) && one.sequence === sequence)
    if (at < 0) {
      shelf.ticks.push({ ...tick, sequence })
      return 'stored'
    }
    if (same(shelf.ticks[at]!, { ...tick, sequence }) && fault !== 'stores duplicates') {
      return fault === 'counts duplicates as stored' ? 'stored' : 'duplicate'
    }
    if (fault === 'keeps the first content of a key') return 'duplicate'
    if (fault === 'keeps the last content of a key') {
      shelf.ticks[at] = tick
      return 'stored'
    }
  }
}

function damaged(tick: Tick, fault: Fault | undefined): Tick {
  if (fault === 'loses nanoseconds') return { ...tick, nanos: 0 }
  if (fault === 'rounds prices') return { ...tick, bid: Number(tick.bid.toFixed(8)) }
  if (fault === 'loses the sign of zero') return { ...tick, volume: tick.volume + 0 }
  if (fault === 'takes unknown sizes for zero') return { ...tick, bidSize: tick.bidSize ?? 0 }
  if (fault === 'drops the broker') return { ...tick, broker: '' }
  return tick
}

const sameTime = (a: Tick, b: Tick): boolean =>
  a.symbol === b.symbol && a.source === b.source && a.time === b.time && a.nanos === b.nanos
const same = (a: Tick, b: Tick): boolean =>
  (Object.keys(a) as (keyof Tick)[]).every((field) => Object.is(a[field], b[field]))

function compare(a: Tick, b: Tick, fault: Fault | undefined): number {
  const bySource =
    fault === 'orders sources by UTF-16'
      ? Number(a.source > b.source) - Number(a.source < b.source)
      : Buffer.compare(Buffer.from(a.source), Buffer.from(b.source))
  const last = fault === 'orders by price' ? a.bid - b.bid : a.sequence - b.sequence
  return a.time - b.time || a.nanos - b.nanos || bySource || last
}

function rangeOf(ticks: readonly Tick[], query: TickQuery, fault: Fault | undefined): Tick[] {
  checkCount(query.limit, 'limit')
  const { symbol, source, from, to, after, limit } = query
  const until = fault === 'includes the end of a range' ? to + 1 : to
  const isBehind = (tick: Tick): boolean => {
    if (!after) return true
    if (fault === 'continues behind the time')
      return tick.time > after.time || (tick.time === after.time && tick.nanos > after.nanos)
    return compare(tick, { ...tick, ...after }, fault) > 0
  }
  const found = ticks
    .filter((tick) => tick.symbol === symbol && tick.time >= from && tick.time < until && isBehind(tick))
    .filter((tick) => source === undefined || tick.source === source || fault === 'ignores the source')
  if (fault !== 'orders by arrival') found.sort((a, b) => compare(a, b, fault))
  if (fault === 'gives the newest first') found.reverse()
  return found.slice(0, limit)
}

function seriesOf(ticks: readonly Tick[], fault: Fault | undefined): TickSeries[] {
  const series = new Map<string, TickSeries>()
  let latest = 0
  for (const { symbol, source, time } of ticks) {
    latest = Math.max(latest, time)
    const filed = fault === 'files late ticks under the day of arrival' ? latest : time
    const day = new Date(filed).toISOString().slice(0, 10)
    const key = JSON.stringify([day, symbol, source])
    const known = series.get(key) ?? { day, symbol, source, ticks: 0, first: time, last: time }
    const [first, last] = [Math.min(known.first, time), Math.max(known.last, time)]
    series.set(key, { ...known, ticks: known.ticks + 1, first, last })
  }
  const bytes = ({ day, symbol, source }: TickSeries) => Buffer.from(`${day}\0${symbol}\0${source}`)
  return [...series.values()].sort((a, b) => Buffer.compare(bytes(a), bytes(b)))
}
