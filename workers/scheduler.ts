// Runs what is scheduled: trimming, retention, reconciliation; warms the cache and keeps projections. Any number of them
// may run.
import {
  pendingExecutions,
  reconcile as reconcileInventory,
  settledWithFills,
} from '../src/arbitrage/index.ts'
import { forgetInbox } from '../src/bus/index.ts'
import { JOBS, marketQuotes, opportunities, STREAMS, WARM_LOCK } from '../src/catalog/index.ts'
import type { Tx } from '../src/db/index.ts'
import { forgetQuarantine } from '../src/imports/index.ts'
import { forgetMemory } from '../src/insights/index.ts'
import { aborted, messageOf, repeat, runTasks, type Task } from '../src/kernel/index.ts'
import { notBooked, reconcile as reconcileLedger } from '../src/ledger/index.ts'
import type { Platform, Worker } from '../src/platform.ts'
import { familiesOf, familyNames, keepProjections } from '../src/projections/index.ts'
import { allSources, openSources } from '../src/sources.ts'

const DAY_MS = 86_400_000
// Dead letters are replayed by then or dropped. What comes later still finds its fills and its trade under their
// ids and changes nothing; the inbox only finds out sooner.
const INBOX_MS = 30 * DAY_MS
// Differences that are named in the log; their number is always told.
const NAMED_MAX = 20
const PAGE = 2_000
// A look at one field.
const WARM_EVERY_MS = 1_000
/** Executions on their way that are looked for: beyond it there are other troubles. */
const UNDERWAY_MAX = 10_000

export const worker: Worker = {
  name: 'scheduler',
  about: 'runs scheduled jobs',
  usesDatabase: true,
  tasks(platform) {
    const late = {
      bookings: twice(() => platform.database.read(findUnbooked)),
      settlements: twice(() => platform.database.read((tx) => pendingExecutions(tx, UNDERWAY_MAX))),
    }
    return [
      platform.jobs.run({
        trim: ({ signal }) => trim(platform, signal),
        retention: ({ signal }) => forget(platform, signal),
        reconcile: () => reconcile(platform, late),
      }),
      keepTrimming(platform),
      keepWarm(platform),
      keepReaders(platform),
    ]
  },
}

async function trim(platform: Platform, signal: AbortSignal) {
  const { bus } = platform
  let removed = 0
  for (const stream of STREAMS) {
    if (signal.aborted) break
    if (stream === marketQuotes && (await areNeeded(platform))) continue
    removed += await bus.trim(stream)
  }
  return { removed }
}

/**
 * The paper venue fills an order from the quotes of its moment, so they stay while an opportunity is not done:
 * executors that come back late would find one leg filled and no market for the other. A live feed is not refused for
 * that; above half of the stream's limit its quotes go. A replay waits instead, or its fills would depend on who was
 * faster.
 */
async function areNeeded({ bus, config }: Platform): Promise<boolean> {
  const { partitions } = await bus.status(opportunities)
  if (!partitions.some(({ groups }) => groups.some(({ lag }) => lag > 0))) return false
  if (config.MARKET_TIME === 'event') return true
  const quotes = await bus.status(marketQuotes)
  return quotes.partitions.every(({ length }) => length <= marketQuotes.maxEntries / 2)
}

/**
 * Trims also without the queue: BullMQ writes before it runs anything, a Redis that is full refuses that, and then
 * nothing but trimming makes room (seen: publishers waited until somebody trimmed by hand).
 */
function keepTrimming(platform: Platform): Task {
  return repeat(3 * JOBS.trim.everyMs, platform.clock, async (signal) => {
    try {
      await trim(platform, signal)
    } catch (error) {
      platform.log.warn({ reason: messageOf(error) }, 'streams could not be trimmed; tried again')
    }
  })
}

/** A Redis that was started, flushed or emptied gets the answers that readers will ask for, before each loads its own. */
function keepWarm({ views, locks, database, clock, config, log }: Platform): Task {
  const sources = allSources(openSources(database))
  return repeat(WARM_EVERY_MS, clock, async (signal) => {
    try {
      if (await views.isWarmed()) return
      await locks.hold(
        WARM_LOCK,
        async (held) => {
          const how = { perSecond: config.CACHE_WARM_RATE, signal: held.signal }
          const reports = await views.warmEpoch(sources, how)
          if (!reports) return
          const answers = reports.map(({ view, warmed, keys }) => `${view} ${warmed} of ${keys}`).join(', ')
          const tookMs = Math.round(reports.reduce((sum, report) => sum + report.tookMs, 0))
          log.info({ answers, tookMs }, 'the cache was warmed')
        },
        { signal },
      )
    } catch (error) {
      // Readers load what they miss.
      log.debug({ reason: messageOf(error) }, 'the cache could not be warmed; tried again')
    }
  })
}

/** Keys for readers of the replaced systems, where PROJECTIONS names any. */
function keepReaders(platform: Platform): Task {
  const { bus, database, views, locks, venues, clock, config, events } = platform
  const families = familiesOf(familyNames(config.PROJECTIONS))
  if (families.size === 0) return aborted
  const { totals } = openSources(database)
  const keep = keepProjections({
    ...{ families, bus, database, locks, venues, clock, config, ticks: () => platform.ticks },
    ledgerState: async () =>
      JSON.stringify(await views.get(totals.view, [], (signal) => totals.load([], signal))),
    events: events.projections,
  })
  if (config.TICKS_BACKEND !== 'dual') return keep
  return async (signal) => {
    await platform.cutover.ready()
    await runTasks([keep, platform.cutover.task], signal)
  }
}

async function forget({ database, clock, config }: Platform, signal: AbortSignal) {
  const quarantineMs = config.QUARANTINE_DAYS * DAY_MS
  const quarantined = await forgetQuarantine(database, clock.now() - quarantineMs, signal)
  const memory = await forgetMemory(database, clock.now(), signal)
  // The rows carry the time of their events: with a recording's times the age says nothing about redelivery.
  if (config.MARKET_TIME === 'event') return { removed: 0, quarantined, memory }
  const removed = await database.write((tx) => forgetInbox(tx, clock.now() - INBOX_MS))
  return { removed, quarantined, memory }
}

const SAYS = {
  ledger: 'the ledger does not equal its fills',
  inventory: 'the inventory does not equal its orders and reservations',
  unbooked: 'an execution is settled and the ledger has not booked it',
  pending: 'an execution is decided and does not come to its end; its orders may be at the venue',
} as const

async function reconcile(
  { database, events, log }: Platform,
  late: Readonly<Record<'bookings' | 'settlements', () => Promise<readonly string[]>>>,
) {
  const tell = (what: keyof typeof SAYS, differences: readonly unknown[]) => {
    const count = differences.length
    for (const difference of differences.slice(0, NAMED_MAX)) log.error({ difference, count }, SAYS[what])
    if (count > 0) events.ledger.emit('differing', { what, count })
    return count
  }
  return {
    ledger: tell('ledger', await database.read(reconcileLedger)),
    inventory: tell('inventory', await database.read(reconcileInventory)),
    unbooked: tell('unbooked', await late.bookings()),
    pending: tell('pending', await late.settlements()),
  }
}

/** What was found at the last call too: what is only on its way has arrived meanwhile. */
function twice(find: () => Promise<readonly string[]>): () => Promise<readonly string[]> {
  let before: ReadonlySet<string> = new Set()
  return async () => {
    const found = await find()
    const again = found.filter((id) => before.has(id))
    before = new Set(found)
    return again
  }
}

async function findUnbooked(tx: Tx): Promise<string[]> {
  const unbooked: string[] = []
  for (let after = ''; unbooked.length < UNDERWAY_MAX; ) {
    const settled = await settledWithFills(tx, after, PAGE)
    unbooked.push(...(await notBooked(tx, settled)))
    if (settled.length < PAGE) break
    after = settled.at(-1)!
  }
  return unbooked
}
