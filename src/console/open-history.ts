// The history that the console answers, over the stores of ticks and candles.
import {
  answerTickers,
  type Candle,
  maxAgeSeconds,
  type SqlCandles,
  vietnamCalendar,
} from '../candles/index.ts'
import { ALWAYS_OPEN } from '../catalog/index.ts'
import { type Clock, type Config, type Logger, messageOf, parseHolidays } from '../kernel/index.ts'
import type { LiveTicks, TickStore } from '../ticks/index.ts'
import type { History } from './answers.ts'

/** What both stores have. */
type Candles = Pick<SqlCandles, 'name' | 'range' | 'keys' | 'tickers' | 'sources'>

export interface HistoryOptions {
  readonly ticks: () => TickStore
  /** What was seen on the stream just now, where that is enough. */
  readonly liveTicks: Pick<LiveTicks, 'recent'>
  /** Which of them answers. */
  readonly candles: () => Candles
  /** Answers /tickers where the database fails; undefined where there is none. */
  readonly files: () => Candles | undefined
  readonly config: Pick<Config, 'MARKET_HOLIDAYS'>
  readonly clock: Clock
  readonly log: Logger
}

export function openHistory({
  ticks,
  liveTicks,
  candles,
  files,
  config,
  clock,
  log,
}: HistoryOptions): History {
  const calendars = { vn: vietnamCalendar(parseHolidays(config.MARKET_HOLIDAYS)), crypto: ALWAYS_OPEN }
  return {
    ticks: (query) => ticks().range(query),
    recentTicks: async (...asked) => liveTicks.recent(...asked) ?? ticks().recent(...asked),
    tickSeries: () => ticks().series(),
    async bars({ symbol, interval, limit, source }): Promise<readonly Candle[]> {
      const store = candles()
      const from = source ?? (await store.sources(symbol, interval))[0]
      return from === undefined ? [] : store.range({ source: from, ticker: symbol, interval, limit })
    },
    tickers: (query, isWanted) =>
      answerTickers(query, {
        sql: candles(),
        csv: files(),
        isWanted,
        maxAgeSeconds: (mode) => maxAgeSeconds(calendars[mode], clock.now()),
        onFallback: (error) =>
          log.error(
            { reason: messageOf(error) },
            'the candles of the files are answered: the database fails',
          ),
      }),
  }
}
