// Both stores of candles as they are read while a cut-over is under way: what one of them answers is compared with the
// other in the phases that compare, as far as it stands still. The phase is asked once for a request, which is then
// answered out of one store, so that its name is true and memory holds what the database has said.
import type { Cutover, Side } from '../cutover/index.ts'
import type { Clock } from '../kernel/index.ts'
import type { Candle, CandleQuery, CandleStore } from './candle.ts'
import { candleLine } from './csv-row.ts'
import { settledBars } from './hold-growing.ts'
import type { SqlCandles } from './sql-candles.ts'
import { sameBar, sameIndicators } from './store-merge.ts'
import type { TickerStore } from './tickers-read.ts'

/** What both stores have for who reads. */
export type CandleReader = Pick<CandleStore, 'range' | 'keys'> & TickerStore

export interface ComparedCandlesOptions {
  readonly cutover: Pick<Cutover<'candles'>, 'read'>
  readonly clock: Clock
  readonly legacy: CandleReader
  readonly current: CandleReader & Pick<SqlCandles, 'writtenSince'>
}

// A read that differs is looked at last after 0.7 s; 40 corrections of 20 series came later into the files.
const FOLLOWED_MS = 10_000

/** Ranges are compared; what there is (`tickers`, `sources`, `keys`) is not: `sluice parity run`. */
export function comparedCandles(options: ComparedCandlesOptions): Readonly<Record<Side, CandleReader>> {
  const { cutover } = options
  const readerOf = (side: Side): CandleReader => ({
    ...options[side],
    async range(query) {
      let answered: Side | undefined
      const look = openLook(options, query)
      const readFrom = (one: Side) => () => {
        answered ??= one
        return look[one]()
      }
      const answer = await cutover.read('candles', {
        ...{ what: nameOf(query), legacy: readFrom('legacy'), current: readFrom('current') },
        same: (one, other) => sameCandles(one, other, query.limit, look.settled),
        text: (candles) => textOf(look.settled(candles)),
      })
      // The phase may have changed since the request chose its store.
      return answered === side ? answer : options[side].range(query)
    },
  })
  return { legacy: readerOf('legacy'), current: readerOf('current') }
}

/** Reads both stores, and tells what should be the same in them by now. */
function openLook({ legacy, current, clock }: ComparedCandlesOptions, query: CandleQuery) {
  let written: ReadonlySet<number> = new Set()
  let looks = 0
  return {
    legacy: () => legacy.range(query),
    async current() {
      const candles = await current.range(query)
      looks += 1
      const [first, last] = [candles[0], candles.at(-1)]
      // Not for the answer itself: mostly nothing differs, and it would wait for that.
      if (looks > 1 && first && last) {
        const span = { first: first.time, last: last.time, since: clock.now() - FOLLOWED_MS }
        written = new Set(await current.writtenSince(query, span))
      }
      return candles
    },
    settled: (candles: readonly Candle[]) =>
      settledBars(candles, clock.now()).filter(({ time }) => !written.has(time)),
  }
}

function nameOf({ source, ticker, interval, from, to, limit }: CandleQuery): string {
  const span = [
    ...(from === undefined ? [] : [`from ${from}`]),
    ...(to === undefined ? [] : [`to ${to}`]),
    ...(limit === undefined ? [] : [`newest ${limit}`]),
  ]
  return `candles ${source} ${ticker} ${interval} ${span.join(' ')}`.trim()
}

/**
 * To the last bit of every column, as `sluice parity run` compares. Where a limit has cut one answer shorter in front, a
 * bar that only one store has at its end has moved the window, so only what lies within both is looked at.
 */
export function sameCandles(
  one: readonly Candle[],
  other: readonly Candle[],
  limit: number | undefined,
  settled: (candles: readonly Candle[]) => readonly Candle[],
): boolean {
  const begin = Math.max(beginOf(one, limit), beginOf(other, limit))
  const [some, others] = [one, other].map((candles) => settled(candles).filter(({ time }) => time >= begin))
  return some!.length === others!.length && some!.every((candle, i) => isSame(candle, others![i]!))
}

/** What an answer that is not full begins with is the first that there is. */
const beginOf = (candles: readonly Candle[], limit: number | undefined): number =>
  candles.length === limit ? candles[0]!.time : Number.NEGATIVE_INFINITY

const isSame = (a: Candle, b: Candle) => a.time === b.time && sameBar(a, b) && sameIndicators(a, b)

/** Newest first: where the windows have moved, the texts differ at their ends only. */
const textOf = (candles: readonly Candle[]) => candles.map(candleLine).reverse().join('\n')
