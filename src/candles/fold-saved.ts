// The fold's state as its checkpoint has it: a bar as a list of numbers, half as long as with names, because it is
// written once a second.
import type { CandleState } from './fold.ts'
import { TICK_INTERVALS } from './fold-bars.ts'
import type { KeptBar, Series } from './fold-series.ts'

type SavedBar = [
  ...[time: number, open: number, high: number, low: number, close: number, ticks: number],
  ...[openAt: number, closeAt: number, told: number, toldAt: number, flags: number],
]
type SavedSeries = Omit<Series, 'bars'> & { readonly bars: readonly (readonly SavedBar[])[] }

const CLOSED = 1
const WAS_CLOSED = 2

export function saveCandles({ series, lookedAt }: CandleState): string {
  const saved = Object.entries(series).map(([name, one]) => {
    const bars = TICK_INTERVALS.map((interval) => one.bars[interval].map(saveBar))
    return [name, { ...one, bars } satisfies SavedSeries]
  })
  return JSON.stringify({ series: Object.fromEntries(saved), lookedAt })
}

export function loadCandles(text: string): CandleState {
  const { series, lookedAt } = JSON.parse(text) as { series: Record<string, SavedSeries>; lookedAt: number }
  const loaded = Object.entries(series).map(([name, { bars, ...one }]) => {
    const named = TICK_INTERVALS.map((interval, at) => [interval, (bars[at] ?? []).map(loadBar)])
    return [name, { ...one, bars: Object.fromEntries(named) as Series['bars'] }]
  })
  return { series: Object.fromEntries(loaded) as CandleState['series'], lookedAt }
}

const saveBar = (bar: KeptBar): SavedBar => [
  ...([bar.time, bar.open, bar.high, bar.low, bar.close, bar.ticks, bar.openAt, bar.closeAt] as const),
  ...([bar.told, bar.toldAt, (bar.isClosed ? CLOSED : 0) | (bar.wasClosed ? WAS_CLOSED : 0)] as const),
]

function loadBar(saved: SavedBar): KeptBar {
  const [time, open, high, low, close, ticks, openAt, closeAt, told, toldAt, flags] = saved
  const state = { isClosed: (flags & CLOSED) !== 0, wasClosed: (flags & WAS_CLOSED) !== 0 }
  return { time, open, high, low, close, ticks, openAt, closeAt, told, toldAt, ...state }
}
