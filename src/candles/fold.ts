// Bars from ticks: a fold over `market.quotes` that builds the bars of each symbol at each venue from the middle of
// best bid and ask. It says what is new about them once a second of the stream's time, and at once when a bar ends.
import { type Entry, type FoldOptions, type FoldOutput, type Outgoing, outgoing } from '../bus/index.ts'
import { candleSource, marketCandles, marketQuotes, type QuoteMessage } from '../catalog/index.ts'
import { deriveId } from '../kernel/index.ts'
import { type CandleEmitter, candleEmitter } from './events.ts'
import { type MidTick, soundMidOf } from './fold-bars.ts'
import { loadCandles, saveCandles } from './fold-saved.ts'
import { isRepeated, newSeries, type Series, takeTick, tellSeries } from './fold-series.ts'

/** All of it is JSON. */
export interface CandleState {
  readonly series: Record<string, Series>
  /** Time of the entry at which all series were last looked at. */
  lookedAt: number
}

export type CandleFold = FoldOptions<QuoteMessage, CandleState>

// Of one partition. An outside feed may name any symbol; the series that is silent for longest gives way. One takes
// about 1 kB of the checkpoint.
const SERIES_MAX = 1_000
const LOOK_MS = 1_000
/** A tick this far ahead of its entry is a wrong clock: its bar would end those of the present. */
const AHEAD_MAX_MS = 60_000
/** When the stream itself is so far behind a series, another recording is being played: it begins anew. */
const BACK_MS = 120_000
/** Bars in one event. */
const TELL_MAX = 500

/** Group `candles`. Facts are for metrics: an entry that is applied again after a crash is counted again. */
export const candlesFromTicks = (events: CandleEmitter = candleEmitter()): CandleFold => ({
  stream: marketQuotes,
  group: 'candles',
  start: () => ({ series: {}, lookedAt: 0 }),
  apply: (state, entry) => applyEntry(state, entry, events),
  save: saveCandles,
  load: loadCandles,
})

function applyEntry(state: CandleState, entry: Entry<QuoteMessage>, events: CandleEmitter): FoldOutput {
  const speaker = openSpeaker(entry)
  const ended = new Set<Series>()
  const numbers = new Map<string, number>()
  const { venue, quotes, simulated } = entry.data
  for (const { symbol, bids, asks, time } of quotes) {
    const [bid, ask] = [bids[0], asks[0]]
    if (!bid || !ask) continue
    const mid = soundMidOf(bid[0], ask[0])
    const refused = mid === undefined ? 'wide' : time > entry.time + AHEAD_MAX_MS ? 'ahead' : undefined
    const tick = { micros: Math.round(time * 1_000), mid: mid ?? 0 }
    const place = `${tick.micros} ${symbol}`
    const number = numbers.get(place) ?? 0
    numbers.set(place, number + 1)
    if (refused) {
      events.emit('refused', { reason: refused, venue })
      continue
    }
    const series = seriesOf(state, candleSource(venue, simulated), symbol, tick, entry.time, speaker)
    if (isRepeated(series, tick, `${bid} ${ask}`, number))
      events.emit('refused', { reason: 'repeated', venue })
    else if (takeTick(series, tick)) ended.add(series)
  }
  for (const series of ended) speaker.tell(series)
  if (Math.abs(entry.time - state.lookedAt) >= LOOK_MS) {
    state.lookedAt = entry.time
    for (const series of Object.values(state.series)) if (!ended.has(series)) speaker.tell(series)
  }
  return { events: speaker.said }
}

/** The series of that name, begun when there is none or the stream went back. */
function seriesOf(
  { series: all }: CandleState,
  source: string,
  ticker: string,
  tick: MidTick,
  now: number,
  speaker: Speaker,
): Series {
  const name = `${source}|${ticker}`
  const known = all[name]
  if (known && now + BACK_MS >= known.newest / 1_000) return known
  if (known) speaker.tell(known, true)
  else {
    const names = Object.keys(all)
    if (names.length >= SERIES_MAX) {
      const quietest = names.reduce((one, other) => (all[other]!.newest < all[one]!.newest ? other : one))
      speaker.tell(all[quietest]!, true)
      delete all[quietest]
    }
  }
  const begun = newSeries(source, ticker, tick)
  all[name] = begun
  return begun
}

interface Speaker {
  readonly said: Outgoing[]
  /** @param isLast the series is given up: everything that was not told is told now. */
  tell(series: Series, isLast?: boolean): void
}

function openSpeaker(entry: Entry<QuoteMessage>): Speaker {
  const said: Outgoing[] = []
  return {
    said,
    tell(series, isLast = false) {
      const { source, ticker } = series
      const { bars, late } = tellSeries(series, entry.time, isLast)
      for (let at = 0; at < bars.length || (at === 0 && late); at += TELL_MAX) {
        const data = {
          source,
          ticker,
          bars: bars.slice(at, at + TELL_MAX),
          ...(late && at === 0 && { late }),
        }
        const id = deriveId('bars', source, ticker, entry.id, said.length)
        said.push(outgoing(marketCandles, id, data, { time: entry.time }))
      }
    },
  }
}
