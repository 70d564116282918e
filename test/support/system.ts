// The whole system as its users run it: real worker processes on a Redis and a database of their own. Tests look at
// the streams and the tables from outside, as an operator would, and may kill or pause any process by its id.
import { type OpenBus, openBus } from '../../src/bus/index.ts'
import { executions, marketQuotes, opportunities } from '../../src/catalog/index.ts'
import { type Database, type Driver, eq, openDatabase } from '../../src/db/index.ts'
import { systemClock } from '../../src/kernel/index.ts'
import { openPlace } from './database.ts'
import { eventually } from './eventually.ts'
import { startRedis, type TestRedis } from './redis.ts'
import { startWorker, type WorkerProcess } from './worker-process.ts'

export interface System {
  readonly driver: Driver
  readonly redis: TestRedis
  readonly bus: OpenBus
  readonly database: Database
  /** Starts `bin/sluice worker <name>` with the settings of the system. */
  start(name: string): WorkerProcess
  /** Those that have not ended. */
  running(): readonly WorkerProcess[]
  /** Every one that was ever started. */
  started(): readonly WorkerProcess[]
  /** Ends what still runs and removes Redis and the database. */
  close(): Promise<void>
}

export type Settings = Readonly<Record<string, string>>

/** A migrated database and an empty Redis; no worker runs yet. */
export async function openSystem(driver: Driver, settings: Settings): Promise<System> {
  const [redis, place] = await Promise.all([startRedis(), openPlace(driver, { migrated: true })])
  const bus = openBus({ url: redis.url, clock: systemClock })
  const database = openDatabase(place.options)
  const workers: WorkerProcess[] = []
  const env = { ...place.environment, REDIS_URL: redis.url, ...settings }
  const running = () => workers.filter((worker) => !worker.isOver())
  return {
    driver,
    redis,
    bus,
    database,
    running,
    started: () => workers,
    start(name) {
      const worker = startWorker(name, env)
      workers.push(worker)
      return worker
    },
    async close() {
      for (const worker of running()) worker.send('SIGKILL')
      await Promise.all(workers.map((worker) => worker.ended))
      await Promise.all([bus.close(), database.close()])
      await Promise.all([redis.stop(), place.remove()])
    },
  }
}

/** Who reads what, in the order in which data flows: once a stage stands still, what it said has reached the next. */
const STAGES = [
  { stream: marketQuotes, groups: ['detector'] },
  { stream: opportunities, groups: ['executors', 'recorder'] },
  { stream: executions, groups: ['ledger'] },
] as const

/**
 * Resolves when all that was published has had its effect: no lag in any group, nothing in the outbox, no execution
 * pending. The feed must have come to its end before; fails when the system does not come to rest in time.
 */
export async function untilSettled(system: System, timeoutMs = 120_000): Promise<void> {
  await eventually(
    async () => {
      const open = await firstUnfinished(system)
      if (open === undefined) return true
      throw new Error(open)
    },
    { timeoutMs, what: 'the system at rest' },
  )
}

async function firstUnfinished({ bus, database }: System): Promise<string | undefined> {
  const rowsInOutbox = () => database.read(({ sql, t }) => sql.$count(t.outbox))
  for (const { stream, groups } of STAGES) {
    // The outbox lies between the executor's commit and its stream.
    const waiting = await rowsInOutbox()
    if (stream === executions && waiting > 0) return `${waiting} rows in the outbox`
    const { partitions } = await bus.status(stream)
    for (const { partition, lastSequence, groups: found } of partitions) {
      for (const name of lastSequence > 0 ? groups : []) {
        const group = found.find((one) => one.group === name)
        const where = `${name} in ${stream.name}/${partition}`
        if (!group) return `no ${where}`
        if (group.lag > 0) return `a lag of ${group.lag} of ${where}`
      }
    }
  }
  const pending = await database.read(({ sql, t }) =>
    sql.$count(t.executions, eq(t.executions.status, 'pending')),
  )
  if (pending > 0) return `${pending} executions pending`
  // What the ledger drops leaves behind its commit as well.
  const left = await rowsInOutbox()
  return left > 0 ? `${left} rows in the outbox` : undefined
}
