// What a write does to a stretch of a series: which bars are new, which have changed, and which others see them. The
// same for every store, so that all come to the same columns.
import type { Bar, Candle, CandlesWritten, Indicators } from './candle.ts'
import { indicatorsAt, LOOK_BACK } from './indicators.ts'

/** Of one series, oldest first. */
export interface Stretch {
  /** Up to 199 bars directly in front; fewer only where the series begins. */
  readonly before: readonly Pick<Bar, 'close' | 'volume'>[]
  /** What is stored, without a gap: from the first given bar to 199 behind the last. */
  readonly known: readonly Candle[]
}

export interface Merged extends CandlesWritten {
  /** What is known with what is given. */
  readonly all: readonly Candle[]
  /** Those of them that are new, and those that differ from what is stored. */
  readonly added: readonly Candle[]
  readonly differing: readonly Candle[]
  /** Times of the first and last bar that is new or has changed; undefined when none is. */
  readonly first: number | undefined
  readonly last: number | undefined
}

/** @param given of different times, oldest first. */
export function mergeBars({ before, known }: Stretch, given: readonly Bar[]): Merged {
  const { bars, news, stored, changed } = join(known, given)
  const close = Float64Array.from([...before, ...bars], (bar) => bar.close)
  const volume = Float64Array.from([...before, ...bars], (bar) => bar.volume)
  const all: Candle[] = []
  const added: Candle[] = []
  const differing: Candle[] = []
  let seen = Number.NEGATIVE_INFINITY
  for (const [i, bar] of bars.entries()) {
    if (news[i] !== 'none') seen = i
    // A bar that is no candle yet is new or changed.
    if (i - seen >= LOOK_BACK) {
      all.push(bar as Candle)
      continue
    }
    const candle = { ...bar, ...indicatorsAt({ close, volume }, before.length + i) }
    all.push(candle)
    if (news[i] === 'new') added.push(candle)
    else if (news[i] === 'changed' || !sameIndicators(bar as Candle, candle)) differing.push(candle)
  }
  const times = bars.filter((_, i) => news[i] !== 'none').map(({ time }) => time)
  const unchanged = given.length - stored - changed
  return { all, added, differing, stored, changed, unchanged, first: times[0], last: times.at(-1) }
}

type News = 'none' | 'changed' | 'new'

function join(known: readonly Candle[], given: readonly Bar[]) {
  const bars: (Bar | Candle)[] = []
  const news: News[] = []
  let [stored, changed, at] = [0, 0, 0]
  const take = (bar: Bar | Candle, what: News) => {
    bars.push(bar)
    news.push(what)
  }
  for (const bar of given) {
    while (at < known.length && known[at]!.time < bar.time) take(known[at++]!, 'none')
    const former = known[at]?.time === bar.time ? known[at++] : undefined
    if (!former) stored += 1
    else if (!sameBar(former, bar)) changed += 1
    if (former && sameBar(former, bar)) take(former, 'none')
    else take(bar, former ? 'changed' : 'new')
  }
  while (at < known.length) take(known[at++]!, 'none')
  return { bars, news, stored, changed }
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
