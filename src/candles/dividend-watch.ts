// Looks for dividends while bars are imported: after the write the old prices are gone, so each batch is compared with
// what is stored before it replaces that.
import type { Bar, BarKey, CandleStore } from './candle.ts'
import { type Dividend, dividendsIn, type PurgePlan, planPurge } from './dividend.ts'

export interface DividendWatch extends Pick<CandleStore, 'write'> {
  /** What was found, and what it means for what is stored now. */
  plans(): Promise<readonly (Dividend & PurgePlan)[]>
}

/** In front of the store; memory grows with the days that are adjusted. */
export function watchDividends(store: Pick<CandleStore, 'write' | 'range' | 'keys'>): DividendWatch {
  const found = new Map<string, Dividend>()
  return {
    async write(bars) {
      for (const [name, days] of Map.groupBy(
        bars.filter(isDay),
        ({ source, ticker }) => `${source}|${ticker}`,
      )) {
        for (const dividend of dividendsIn(await storedBeside(store, days), days)) {
          const known = found.get(name)
          found.set(name, known ? joined(known, dividend) : dividend)
        }
      }
      return store.write(bars)
    },
    async plans() {
      if (found.size === 0) return []
      const keys = await store.keys()
      return [...found.values()].map((dividend) => ({ ...dividend, ...planPurge(dividend, keys) }))
    },
  }
}

const isDay = ({ interval }: BarKey) => interval === '1D'

/** The same days, and the newest that there is. */
async function storedBeside(store: Pick<CandleStore, 'range'>, days: readonly Bar[]): Promise<Bar[]> {
  const { source, ticker, interval } = days[0]!
  const times = days.map(({ time }) => time)
  const from = times.reduce((least, time) => Math.min(least, time))
  const to = times.reduce((most, time) => Math.max(most, time)) + 1
  const key = { source, ticker, interval }
  return [...(await store.range({ ...key, from, to })), ...(await store.range({ ...key, limit: 1 }))]
}

const joined = (one: Dividend, other: Dividend): Dividend => ({
  ...one,
  first: Math.min(one.first, other.first),
  days: [...one.days, ...other.days].toSorted((a, b) => a.time - b.time),
})
