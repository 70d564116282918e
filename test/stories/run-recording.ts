// One run of a recording through all processes, from an empty Redis and an empty database to rest.
import type { Driver } from '../../src/db/index.ts'
import { openSystem, type Settings, type System, untilSettled } from '../support/system.ts'
import { audit, type Books, readBooks } from './books.ts'

export const ENDED = 'the recording has ended'
export const CREW = ['detector', 'detector', 'executor', 'executor', 'ledger', 'ledger'] as const

export interface Run {
  readonly books: Books
  readonly faults: readonly string[]
  readonly tookMs: number
}

/** @param disturb does its worst while the recording is fed; the run is judged when it has ended. */
export async function runRecording(
  driver: Driver,
  settings: Settings,
  disturb: (system: System) => Promise<void> = async () => undefined,
): Promise<Run> {
  const system = await openSystem(driver, settings)
  try {
    const began = performance.now()
    const workers = [...CREW, 'feed'].map((name) => system.start(name))
    await Promise.all(workers.map((worker) => worker.says(`${worker.name} started`)))
    await disturb(system)
    const feed = system.running().findLast((worker) => worker.name === 'feed')
    if (!feed) throw new Error('no feed is running at the end')
    await feed.says(ENDED, 300_000)
    await untilSettled(system)
    const tookMs = performance.now() - began
    const faults = await audit(system.bus, system.database)
    return { books: await readBooks(system.database), faults, tookMs }
  } finally {
    await system.close()
  }
}

/** What a run came to, in one line. */
export function summaryOf({ books, tookMs }: Run): string {
  const outcomes = Map.groupBy(books.executions, (e) => e.outcome ?? e.reason ?? e.status)
  const counts = [...outcomes].map(([name, rows]) => `${name} ${rows.length}`).sort()
  const profit = books.trades.reduce((sum, trade) => sum + Number(trade.profit), 0)
  return [
    `${books.opportunities.length} opportunities`,
    `${books.trades.length} trades (${counts.join(', ')})`,
    `${books.venueOrders.length} orders, ${books.fills.length} fills`,
    `profit ${profit.toFixed(2)} BRL`,
    `${(tookMs / 1000).toFixed(1)} s`,
  ].join('; ')
}
