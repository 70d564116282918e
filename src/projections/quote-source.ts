// The keys of prices, tickers, books and ticks, from the tick store and the stream of quotes.
import type { Bus, Entry } from '../bus/index.ts'
import {
  marketQuotes,
  type ProjectionFamily,
  projections,
  type Quote,
  type QuoteMessage,
} from '../catalog/index.ts'
import type { Clock } from '../kernel/index.ts'
import { openTickGate, type Tick, type TickStore, ticksOfMessage } from '../ticks/index.ts'
import { openFollower } from './follow.ts'
import { type NewestQuote, openNewestQuotes } from './newest-quotes.ts'
import { quoteKeys, tickMember } from './quote-keys.ts'
import type { ProjectionSource } from './source.ts'
import type { ProjectionWriter } from './writer.ts'

export interface QuoteSourceOptions {
  readonly writer: ProjectionWriter
  readonly bus: Pick<Bus, 'readBack'>
  readonly ticks: () => Pick<TickStore, 'series' | 'recent'>
  readonly clock: Clock
  readonly families: ReadonlySet<ProjectionFamily>
  /** As where ticks are kept: what is no tick there is no price here. */
  readonly gate: { readonly live: boolean; readonly jumpPct: number }
}

const LOOK_MS = 250
// Ticks of the last seconds may not have reached the store yet.
const STORED_AFTER_MS = 10_000
const HELD_MS = 60_000
const BEFORE_ALL = -8.64e15
// An entry that cannot be read looks like a missing one, each time.
const MISSED_EVERY_MS = 10_000

type Quoted = Tick & { readonly quote?: Quote }

export function openQuoteSource(options: QuoteSourceOptions): ProjectionSource {
  const { writer, ticks, clock, families } = options
  /** Undefined when it was told to stop: keys of all venues would lack those that are not read yet. */
  const begin = async (signal: AbortSignal) => {
    const reading = openReading(options)
    await load(ticks(), reading, signal)
    await reading.next(signal)
    if (signal.aborted) return undefined
    await write(reading.state.all())(reading)
    if (families.has('ticks')) {
      for (const symbol of reading.state.symbols()) {
        if (signal.aborted) return undefined
        await beginTicks(symbol)
      }
      await addTicks(reading.fresh())
    }
    return reading
  }
  const write = (changed: readonly NewestQuote[]) => async (reading: Reading) => {
    if (changed.length === 0) return
    await Promise.all(quoteKeys(changed, reading.state, families).map(writer.put))
  }
  const { key, lifetimeMs, cap } = projections.recentTicks
  const beginTicks = async (symbol: string) => {
    const stored = await ticks().recent(symbol, cap!)
    if (stored.length === 0) return
    const replaces = { from: BEFORE_ALL, to: stored.at(-1)!.time - STORED_AFTER_MS }
    const all = { key: key({ symbol }), lifetimeMs, cap: cap!, members: stored.map(tickMember) }
    await writer.amend({ ...all, replaces, begins: true })
  }
  const addTicks = async (fresh: readonly Tick[]) => {
    for (const [symbol, some] of Map.groupBy(fresh, (tick) => tick.symbol)) {
      const one = { key: key({ symbol }), lifetimeMs, cap: cap!, members: some.map(tickMember) }
      if ((await writer.amend(one)) !== 'absent') continue
      await beginTicks(symbol)
      await writer.amend({ ...one, begins: true })
    }
  }
  return {
    name: 'quotes',
    async rebuild(signal) {
      return (await begin(signal)) !== undefined
    },
    async keep(signal, { onCurrent } = {}) {
      let reading = await begin(signal)
      let begunAt = clock.monotonic()
      while (reading && !signal.aborted) {
        const { changed, missed } = await reading.next(signal)
        await write(changed)(reading)
        if (families.has('ticks')) await addTicks(reading.fresh())
        if (missed && clock.monotonic() - begunAt > MISSED_EVERY_MS) {
          begunAt = clock.monotonic()
          reading = await begin(signal)
        }
        if (reading) onCurrent?.()
        await clock.sleep(LOOK_MS, signal)
      }
    },
  }
}

type Reading = ReturnType<typeof openReading>

/** The stream from a moment ago on, judged. */
function openReading({ bus, clock, gate: terms }: QuoteSourceOptions) {
  const state = openNewestQuotes()
  const gate = openTickGate<Quoted>(terms)
  const follower = openFollower(bus, marketQuotes, clock)
  let fresh: Tick[] = []
  const judge = (entries: readonly Entry<QuoteMessage>[]): Quoted[] => {
    const judged = entries.map((entry) => gate.judge(withQuotes(entry.data), storedAt(entry)))
    const last = entries.at(-1)
    if (last) judged.push(gate.giveUp(storedAt(last) - HELD_MS))
    return judged.flatMap(({ accepted }) => accepted)
  }
  return {
    state,
    /** Ticks that came since it was last asked. */
    fresh(): Tick[] {
      const all = fresh
      fresh = []
      return all
    },
    async next(signal: AbortSignal) {
      const { entries, missed } = await follower.next(signal)
      const changed = new Map<string, NewestQuote>()
      for (const { quote, ...tick } of judge(entries)) {
        fresh.push(tick)
        const one = { tick, quote }
        if (state.take(one)) changed.set(`${tick.source}\n${tick.symbol}`, one)
      }
      return { changed: [...changed.values()], missed }
    },
  }
}

/** ms of the server that stored it. */
const storedAt = ({ entry }: Entry) => Number(entry.slice(0, entry.indexOf('-')))

/** Each tick with the quote that it is the top of. */
function withQuotes(message: QuoteMessage): Quoted[] {
  const both = message.quotes.filter(({ bids, asks }) => bids.length > 0 && asks.length > 0)
  return ticksOfMessage(message).map((tick, i) => ({ ...tick, quote: both[i]! }))
}

/** The newest stored tick of each series. */
async function load(store: Pick<TickStore, 'series' | 'recent'>, { state }: Reading, signal: AbortSignal) {
  const series = new Map((await store.series()).map((one) => [`${one.source}\n${one.symbol}`, one]))
  for (const { symbol, source } of series.values()) {
    if (signal.aborted) return
    const [tick] = await store.recent(symbol, 1, source)
    if (tick) state.take({ tick, quote: undefined })
  }
}
