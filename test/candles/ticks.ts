// What the tests of bars share: messages of quotes, and the bars that ticks make by their definition, computed the slow
// way.
import type { Entry, FoldOptions } from '../../src/bus/index.ts'
import { bucketOf } from '../../src/candles/bucket.ts'
import { TICK_INTERVALS } from '../../src/candles/fold-bars.ts'
import { type CandleBars, marketQuotes, type QuoteMessage, type TickBar } from '../../src/catalog/index.ts'

export interface TestTick {
  readonly time: number
  readonly mid: number
  /** Default: half a unit on each side of the middle. */
  readonly bid?: number
  readonly ask?: number
  readonly symbol?: string
  readonly venue?: string
  readonly simulated?: boolean
  /** When its message was stored. Default: its own time. */
  readonly heardAt?: number
}

let sequence = 0

/** One message a tick. */
export function quoted(tick: TestTick): Entry<QuoteMessage> {
  const { time, mid, symbol = 'A/X', venue = 'alpha', simulated = false, heardAt = time } = tick
  const { bid = mid - 0.5, ask = mid + 0.5 } = tick
  sequence += 1
  const quotes = [{ symbol, bids: [[bid, 1]], asks: [[ask, 1]], time }] as QuoteMessage['quotes']
  const place = { stream: marketQuotes.name, partition: 0, sequence, entry: `${sequence}-0`, attempt: 1 }
  const more = { type: marketQuotes.name, source: 'test', key: symbol, traceparent: undefined, ...place }
  return {
    ...more,
    id: `event-${sequence}`,
    time: heardAt,
    data: { venue, board: symbol, quotes, simulated },
  }
}

export interface Heard {
  readonly source: string
  readonly ticker: string
  readonly bar: TickBar
}

/** Applies entries; answers all that was said, in order. */
export function run<S>(
  fold: FoldOptions<QuoteMessage, S>,
  entries: readonly Entry<QuoteMessage>[],
  state: S = fold.start(),
) {
  const events = entries.flatMap((entry) => fold.apply(state, entry).events)
  const messages = events.map(({ data }) => data as CandleBars)
  const heard = messages.flatMap(({ source, ticker, bars }): Heard[] =>
    bars.map((bar) => ({ source, ticker, bar })),
  )
  return { state, events, messages, heard, late: messages.flatMap(({ late }) => (late ? [late] : [])) }
}

export type PlainBar = Pick<TickBar, 'interval' | 'time' | 'open' | 'high' | 'low' | 'close' | 'volume'>

export const nameOf = ({ interval, time }: Pick<TickBar, 'interval' | 'time'>) => `${interval} ${time}`

/** The newest version of each bar by (interval, time). */
export function newest(heard: readonly Heard[]): Map<string, PlainBar> {
  return new Map(heard.map(({ bar: { state: _, whole: __, ...plain } }) => [nameOf(plain), plain] as const))
}

/** The bars of ticks of one symbol, by (time, arrival). */
export function barsByDefinition(ticks: readonly TestTick[]): Map<string, PlainBar> {
  const sorted = ticks.toSorted((a, b) => a.time - b.time)
  const bars = new Map<string, PlainBar>()
  for (const interval of TICK_INTERVALS) {
    for (const [time, group] of Map.groupBy(sorted, (tick) => bucketOf(interval, tick.time))) {
      const mids = group.map(({ mid }) => mid)
      bars.set(nameOf({ interval, time }), {
        ...{ interval, time, open: mids[0]!, close: mids.at(-1)!, volume: mids.length },
        ...{ high: Math.max(...mids), low: Math.min(...mids) },
      })
    }
  }
  return bars
}
