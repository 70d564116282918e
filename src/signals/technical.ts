// Technical signals: a fold over `market.quotes` that keeps a series of one price a second for each symbol.
import type { Entry, FoldOptions, FoldOutput } from '../bus/index.ts'
import { marketQuotes, type QuoteMessage } from '../catalog/index.ts'
import type { Config } from '../kernel/index.ts'
import { announce, type Said } from './announce.ts'
import {
  crossOf,
  type Ema,
  type Macd,
  newEma,
  newMacd,
  newRsi,
  newSma,
  pushEma,
  pushMacd,
  pushRsi,
  pushSma,
  type Rsi,
  type Sma,
} from './indicators.ts'
import { newSamples, type Sample, type Samples, sampleBefore, takeMid } from './samples.ts'
import { assessTechnical } from './score.ts'

/** All of it is JSON. */
interface Series {
  readonly samples: Samples
  prices: number
  rsi: Rsi
  ema12: Ema
  sma20: Sma
  macd: Macd
  /** EMA12 − SMA20 and MACD − its signal at the last sample. */
  trend: number | undefined
  turn: number | undefined
}

export interface TechnicalState {
  /** Symbol → series, apart for markets and simulations. */
  readonly series: Record<string, Series>
  readonly said: Said
}

export type Opinion = {
  readonly indicator: string
  readonly action: 'buy' | 'sell'
  readonly confidence: number
}

/** No opinion before the slowest indicator has settled. */
const PRICES_MIN = 50
/** A longer silence begins the series anew: what was before it is another market. */
const GAP_MAX_SECONDS = 60
// Of one partition. An outside feed may name any symbol; the series that is silent for longest gives way.
const SERIES_MAX = 1_000

export function technicalSignals(
  config: Pick<Config, 'QUOTE_MAX_AGE_MS'>,
): FoldOptions<QuoteMessage, TechnicalState> {
  return {
    stream: marketQuotes,
    group: 'signals',
    start: () => ({ series: {}, said: {} }),
    apply: (state, entry) => applyEntry(state, entry, config.QUOTE_MAX_AGE_MS),
    save: (state) => JSON.stringify(state),
    load: (saved) => JSON.parse(saved) as TechnicalState,
  }
}

function applyEntry(state: TechnicalState, entry: Entry<QuoteMessage>, maxAgeMs: number): FoldOutput {
  const { venue, quotes, simulated } = entry.data
  const events: FoldOutput['events'][number][] = []
  const tell: NonNullable<FoldOutput['tell']>[number][] = []
  for (const quote of quotes) {
    const name = `${quote.symbol}${simulated ? ' simulated' : ''}`
    const { samples } = seriesOf(state.series, name)
    const sample = sampleBefore(samples, entry.time, maxAgeMs)
    if (sample) {
      if (sample.seconds > GAP_MAX_SECONDS) state.series[name] = newSeries(samples)
      const opinions = opinionsAt(state.series[name]!, sample.price)
      for (const said of signalsOf(state, opinions, sample, quote.symbol, entry)) {
        events.push(...said.events)
        tell.push(...(said.tell ?? []))
      }
    }
    takeMid(samples, venue, quote)
  }
  return { events, tell }
}

/** The series of that name, begun when there is none. */
function seriesOf(series: TechnicalState['series'], name: string): Series {
  const known = series[name]
  if (known) return known
  const names = Object.keys(series)
  if (names.length >= SERIES_MAX) {
    const second = (one: string) => series[one]!.samples.second
    delete series[names.reduce((quietest, one) => (second(one) < second(quietest) ? one : quietest))]
  }
  const begun = newSeries(newSamples())
  series[name] = begun
  return begun
}

const newSeries = (samples: Samples): Series => ({
  samples,
  prices: 0,
  rsi: newRsi(14),
  ema12: newEma(12),
  sma20: newSma(20),
  macd: newMacd(12, 26, 9),
  trend: undefined,
  turn: undefined,
})

/** What the indicators say after one more price. */
export function opinionsAt(series: Series, price: number): Opinion[] {
  const rsi = pushRsi(series.rsi, price)
  const fast = pushEma(series.ema12, price)
  const slow = pushSma(series.sma20, price)
  const trend = fast === undefined || slow === undefined ? undefined : fast - slow
  const turn = pushMacd(series.macd, price)
  const crossing = crossOf(series.trend, trend)
  const turning = crossOf(series.turn, turn)
  series.trend = trend
  series.turn = turn
  series.prices += 1
  if (series.prices < PRICES_MIN) return []
  const opinions: Opinion[] = []
  if (rsi !== undefined && rsi < 30) opinions.push({ indicator: 'RSI14', action: 'buy', confidence: 0.7 })
  if (rsi !== undefined && rsi > 70) opinions.push({ indicator: 'RSI14', action: 'sell', confidence: 0.7 })
  if (crossing) opinions.push({ indicator: 'EMA12xSMA20', action: crossing, confidence: 0.8 })
  if (turning) opinions.push({ indicator: 'MACD', action: turning, confidence: 0.75 })
  return opinions
}

/** Indicators that agree make one signal. */
function signalsOf(
  { said }: TechnicalState,
  opinions: readonly Opinion[],
  sample: Sample,
  symbol: string,
  entry: Entry<QuoteMessage>,
): FoldOutput[] {
  return (['buy', 'sell'] as const).flatMap((action) => {
    const agreeing = opinions.filter((opinion) => opinion.action === action)
    if (agreeing.length === 0) return []
    const output = announce(said, {
      kind: 'technical',
      symbol,
      action,
      indicators: agreeing.map(({ indicator }) => indicator),
      venues: [...sample.venues],
      price: sample.price,
      assessment: assessTechnical(agreeing.map(({ confidence }) => confidence)),
      simulated: entry.data.simulated,
      time: entry.time,
      causedBy: entry.id,
    })
    return output ? [output] : []
  })
}
