// One run of a recording through all processes, from an empty Redis and an empty database to rest.
import type { Driver } from '../../src/db/index.ts'
import { openSystem, type Settings, type System, untilSettled } from '../support/system.ts'
import { type Books, type Evidence, gather, judge } from './books.ts'

export const ENDED = 'the recording has ended'
export const CREW = ['detector', 'detector', 'executor', 'executor', 'ledger', 'ledger'] as const

export interface Run {
  readonly books: Books
  readonly faults: readonly string[]
  readonly tookMs: number
}

export interface RunHooks {
  /** Does its worst while the recording is fed; the run is judged when it has ended. */
  readonly disturb?: (system: System) => Promise<void>
  /** Looks when all is at rest and still runs. */
  readonly inspect?: (system: System, evidence: Evidence) => Promise<void>
}

export async function runRecording(
  driver: Driver,
  settings: Settings,
  { disturb, inspect }: RunHooks = {},
): Promise<Run> {
  const system = await openSystem(driver, settings)
  try {
    const began = performance.now()
    await startCrew(system)
    await disturb?.(system)
    const feed = system.running().findLast((worker) => worker.name === 'feed')
    if (!feed) throw new Error('no feed is running at the end')
    await feed.says(ENDED, 300_000)
    await untilSettled(system)
    const tookMs = performance.now() - began
    const evidence = await gather(system.bus, system.database)
    await inspect?.(system, evidence)
    return { books: evidence.books, faults: judge(evidence), tookMs }
  } finally {
    await system.close()
  }
}

/** Starts every worker and resolves when all of them work. */
export async function startCrew(system: System): Promise<void> {
  const workers = [...CREW, 'feed'].map((name) => system.start(name))
  await Promise.all(workers.map((worker) => worker.says(`${worker.name} started`)))
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
