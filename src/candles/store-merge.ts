// What a write does to a stretch of a series: which bars are new, which have changed, and which others see them. The
// same for every store, so that all come to the same columns.
import type { Bar, Candle, CandlesWritten, Indicators } from './candle.ts'
import { indicatorsAt, LOOK_BACK } from './indicators.ts'

/** Of one series, oldest first; `B` is what a store reads of its bars. */
export interface Stretch<B extends Bar> {
  /** Up to 199 bars directly in front; fewer only where the series begins. */
  readonly before: readonly Pick<Bar, 'close' | 'volume'>[]
  /** What is stored, without a gap: from the first given bar to 199 behind the last. */
  readonly known: readonly B[]
}

export interface Merged<B extends Bar> extends CandlesWritten {
  /** What is known with what is given; candles within the runs. */
  readonly all: readonly (B | Candle)[]
  /** What is to be written, and is not what is stored. */
  readonly runs: readonly Run[]
  /** Times of the first and last bar that is new or has changed; undefined when none is. */
  readonly first: number | undefined
  readonly last: number | undefined
}

/** Neighbours, oldest first. */
export interface Run {
  readonly candles: readonly Candle[]
  /** None of them is stored. */
  readonly areNew: boolean
}

/** @param given of different times, oldest first. */
export function mergeBars<B extends Bar>({ before, known }: Stretch<B>, given: readonly Bar[]): Merged<B> {
  const { bars, news, stored, changed } = join(known, given)
  const close = Float64Array.from([...before, ...bars], (bar) => bar.close)
  const volume = Float64Array.from([...before, ...bars], (bar) => bar.volume)
  const all = bars as (B | Candle)[]
  const runs = spansOf(news).map(([from, to]): Run => {
    for (let i = from; i < to; i++) {
      all[i] = { ...all[i]!, ...indicatorsAt({ close, volume }, before.length + i) }
    }
    const candles = all.slice(from, to) as Candle[]
    return { candles, areNew: news.slice(from, to).every((one) => one === 'new') }
  })
  const times = bars.filter((_, i) => news[i] !== 'none').map(({ time }) => time)
  const unchanged = given.length - stored - changed
  return { all, runs, stored, changed, unchanged, first: times[0], last: times.at(-1) }
}

// Between two runs that are nearer, what lies between is written too: less than another two statements cost.
const BETWEEN_MIN = 32

/** From and to (exclusive) of what is new, has changed or sees one that has. */
function spansOf(news: readonly News[]): [number, number][] {
  const spans: [number, number][] = []
  let seesClose = 0
  let seesVolume = 0
  for (const [i, one] of news.entries()) {
    if (one === 'new' || one === 'close') seesClose = i + LOOK_BACK
    if (one === 'new' || one === 'close' || one === 'volume') seesVolume = i + 2
    if (one === 'none' && i >= seesClose && i >= seesVolume) continue
    const last = spans.at(-1)
    if (last && i - last[1] < BETWEEN_MIN) last[1] = i + 1
    else spans.push([i, i + 1])
  }
  return spans
}

/** What of a bar differs from what is stored; `close` may have changed with its volume, both with the rest. */
type News = 'none' | 'rest' | 'volume' | 'close' | 'new'

function join(known: readonly Bar[], given: readonly Bar[]) {
  const bars: Bar[] = []
  const news: News[] = []
  let [stored, changed, at] = [0, 0, 0]
  const take = (bar: Bar, what: News) => {
    bars.push(bar)
    news.push(what)
  }
  for (const bar of given) {
    while (at < known.length && known[at]!.time < bar.time) take(known[at++]!, 'none')
    const former = known[at]?.time === bar.time ? known[at++] : undefined
    const what = former ? newsOf(former, bar) : 'new'
    if (what === 'new') stored += 1
    else if (what !== 'none') changed += 1
    take(what === 'none' ? former! : bar, what)
  }
  while (at < known.length) take(known[at++]!, 'none')
  return { bars, news, stored, changed }
}

function newsOf(former: Bar, bar: Bar): News {
  if (former.close !== bar.close) return 'close'
  if (former.volume !== bar.volume) return 'volume'
  return sameBar(former, bar) ? 'none' : 'rest'
}

export const sameBar = (a: Bar, b: Bar): boolean =>
  a.open === b.open && a.high === b.high && a.low === b.low && a.close === b.close && a.volume === b.volume

export const INDICATORS = [
  ...['ma10', 'ma20', 'ma50', 'ma100', 'ma200'],
  ...['ma10Score', 'ma20Score', 'ma50Score', 'ma100Score', 'ma200Score'],
  ...['closeChanged', 'volumeChanged', 'totalMoneyChanged'],
] as readonly (keyof Indicators)[]

export const sameIndicators = (a: Indicators, b: Indicators): boolean =>
  INDICATORS.every((name) => a[name] === b[name])
