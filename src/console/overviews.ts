// What there is of the history, in three shapes. Each needs a look at every day, so one scan serves all who ask within
// some seconds, and each answer says how old it is.
import type { FastifyInstance, RouteShorthandOptions } from 'fastify'
import type { Clock } from '../kernel/index.ts'
import type { TickSeries } from '../ticks/index.ts'
import type { History } from './answers.ts'
import { ANSWER_WITHIN_MS, shared, within } from './ask.ts'

const KEPT_MS = 10_000

interface OverviewOptions {
  readonly clock: Clock
  readonly throttle: RouteShorthandOptions
}

interface Scan {
  readonly series: readonly TickSeries[]
  /** Monotonic. */
  readonly at: number
}

export function overviews(
  server: FastifyInstance,
  by: Pick<History, 'tickSeries'>,
  { clock, throttle }: OverviewOptions,
): void {
  const scan = shared(clock, KEPT_MS, async (): Promise<Scan> => {
    const at = clock.monotonic()
    return { at, series: await by.tickSeries() }
  })
  // Who gives up does not end the scan: the next one who asks finds it under way or done, and begins no second one.
  const look = async () => {
    const { series, at } = await within(clock, ANSWER_WITHIN_MS, 'The tick store', scan)
    return { series, ageMs: Math.round(clock.monotonic() - at) }
  }
  server.get('/api/history/available', throttle, look)
  server.get('/api/history/symbols', throttle, async () => {
    const { series, ageMs } = await look()
    return { symbols: [...new Set(series.map(({ symbol }) => symbol))].sort(), ageMs }
  })
  server.get('/api/history/info', throttle, async () => {
    const { series, ageMs } = await look()
    const days = [...new Set(series.map(({ day }) => day))].sort()
    return {
      ticks: series.reduce((sum, { ticks }) => sum + ticks, 0),
      symbols: new Set(series.map(({ symbol }) => symbol)).size,
      sources: [...new Set(series.map(({ source }) => source))].sort(),
      days: days.length,
      first: days[0] ?? null,
      last: days.at(-1) ?? null,
      ageMs,
    }
  })
}
