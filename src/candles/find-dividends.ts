// Looks for dividends while bars are imported: after the write the old prices are gone, so each batch is compared with
// what is stored before it replaces that.
import type { Bar, CandleStore } from './candle.ts'
import { type Dividend, dividendsIn } from './dividend.ts'

/** @param bars what is about to be written. */
export async function findDividends(
  store: Pick<CandleStore, 'range'>,
  bars: readonly Bar[],
): Promise<Dividend[]> {
  const found: Dividend[] = []
  const isDay = ({ interval }: Bar) => interval === '1D'
  for (const days of Map.groupBy(
    bars.filter(isDay),
    ({ source, ticker }) => `${source}|${ticker}`,
  ).values()) {
    found.push(...dividendsIn(await storedBeside(store, days), days))
  }
  return found
}

/** The same days, and the newest that there is. */
async function storedBeside(store: Pick<CandleStore, 'range'>, days: readonly Bar[]): Promise<Bar[]> {
  const { source, ticker, interval } = days[0]!
  const times = days.map(({ time }) => time)
  const from = times.reduce((least, time) => Math.min(least, time))
  const to = times.reduce((most, time) => Math.max(most, time)) + 1
  const key = { source, ticker, interval }
  return [...(await store.range({ ...key, from, to })), ...(await store.range({ ...key, limit: 1 }))]
}
