// Runs what is scheduled: trimming, retention, reconciliation. Any number of them may run.
import { reconcile as reconcileInventory } from '../src/arbitrage/index.ts'
import { forgetInbox } from '../src/bus/index.ts'
import { STREAMS } from '../src/catalog/index.ts'
import { reconcile as reconcileLedger } from '../src/ledger/index.ts'
import type { Platform, Worker } from '../src/platform.ts'

// An event that comes again later than this would be booked again; dead letters are replayed by then or dropped.
const INBOX_MS = 30 * 86_400_000

export const worker: Worker = {
  name: 'scheduler',
  about: 'runs scheduled jobs',
  usesDatabase: true,
  tasks: (platform) => [
    platform.jobs.run({
      trim: () => trim(platform),
      retention: () => forget(platform),
      reconcile: () => reconcile(platform),
    }),
  ],
}

async function trim({ bus }: Platform) {
  let removed = 0
  for (const stream of STREAMS) removed += await bus.trim(stream)
  return { removed }
}

async function forget({ database, clock, config }: Platform) {
  // The rows carry the time of their events: with a recording's times the age says nothing about redelivery.
  if (config.MARKET_TIME === 'event') return { removed: 0 }
  return { removed: await database.write((tx) => forgetInbox(tx, clock.now() - INBOX_MS)) }
}

async function reconcile({ database, log }: Platform) {
  const ledger = await database.read(reconcileLedger)
  const inventory = await database.read(reconcileInventory)
  for (const difference of ledger) log.error({ difference }, 'the ledger does not equal its fills')
  for (const difference of inventory) log.error({ difference }, 'the inventory does not equal its orders')
  return { ledger: ledger.length, inventory: inventory.length }
}
