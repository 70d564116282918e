// The only wiring: opens from the configuration what a worker or a command uses, and closes it in reverse. Everything
// is opened at its first use, so a worker holds only what it needs.
import { arbitrageEmitter, detectorEmitter } from './arbitrage/index.ts'
import { type Bus, enqueue, type Outgoing, openBus, openRelay, type Relay } from './bus/index.ts'
import { DROPS, openViews, type Views } from './cache/index.ts'
import { candleBacking, candleEmitter } from './candles/index.ts'
import {
  CACHE_DROPS,
  CUTOVER_CHANGES,
  FEATURE_NAMES,
  type FeatureName,
  JOB_PREFIX,
  JOBS,
  lockNames,
  projectionEmitter,
  STREAMS,
} from './catalog/index.ts'
import { type Emitters, observe, reportWorker } from './console/index.ts'
import { type Backing, type Cutover, openCutover } from './cutover/index.ts'
import { type Database, type DatabaseOptions, migrate, openDatabase, type Tx } from './db/index.ts'
import { fundingEmitter } from './funding/index.ts'
import { insightEmitter } from './insights/index.ts'
import { type Jobs, openJobs } from './jobs/index.ts'
import {
  aborted,
  afterMs,
  type Clock,
  type Config,
  type Logger,
  messageOf,
  openLog,
  openResources,
  runTasks,
  SluiceError,
  splitRedisUrls,
  systemClock,
  type Task,
} from './kernel/index.ts'
import { ledgerEmitter } from './ledger/index.ts'
import { type Locks, openLocks } from './locks/index.ts'
import { marketEmitter } from './market/index.ts'
import { closeRedis, connectRedis, type Redis, ready } from './redis/index.ts'
import { openTicks, type TickStore, tickBacking, tickEmitter } from './ticks/index.ts'
import { openPaperVenue, openVenues, type Venue, type VenueTable } from './venues/index.ts'

export interface Platform {
  readonly name: string
  readonly config: Config
  readonly clock: Clock
  readonly log: Logger
  readonly bus: Bus
  readonly database: Database
  readonly databaseOptions: DatabaseOptions
  readonly relay: Relay
  readonly locks: Locks
  readonly views: Views
  readonly jobs: Jobs<typeof JOBS>
  readonly cutover: Cutover<FeatureName>
  readonly venues: VenueTable
  /** The store of TICKS_BACKEND, for reading and for commands. */
  readonly ticks: TickStore
  /** For single commands outside of the bus. */
  readonly redis: () => Promise<Redis>
  /** Trades of a venue happen on paper; undefined for one that is not configured. */
  readonly venue: (name: string) => Venue | undefined
  /** Events into the outbox of a transaction, said right after its commit. */
  readonly enqueue: (tx: Tx, events: readonly Outgoing[]) => Promise<void>
  readonly events: Readonly<ReturnType<typeof openEvents>>
  /** What has been opened so far and speaks of itself. */
  emitters(): Emitters
  close(): Promise<void>
}

/** One process of the Procfile: what it runs. */
export interface Worker {
  readonly name: string
  readonly about: string
  /** Migrates before it begins. */
  readonly usesDatabase: boolean
  /** It writes or reads their stores. */
  readonly features?: readonly FeatureName[]
  tasks(platform: Platform): readonly Task[]
}

const openEvents = () => ({
  market: marketEmitter(),
  detector: detectorEmitter(),
  arbitrage: arbitrageEmitter(),
  ledger: ledgerEmitter(),
  funding: fundingEmitter(),
  insights: insightEmitter(),
  ticks: tickEmitter(),
  candles: candleEmitter(),
  projections: projectionEmitter(),
})

export function openPlatform(config: Config, { name, log }: { name: string; log?: Logger }): Platform {
  const resources = openResources()
  const clock = systemClock
  const logger = log ?? openLog({ level: config.LOG_LEVEL, name })
  const databaseOptions = databaseOptionsOf(config, clock)
  const events = openEvents()
  const mechanisms = openMechanisms(config, clock, logger, databaseOptions, resources.own)
  const papers = new Map<string, Venue>()
  const venues = once(() => openVenues(config))
  const ticks = once(() => {
    const store = openTicks({ config, clock, events: events.ticks, cutover: () => platform.cutover })
    return resources.own(store, (store) => store.close())
  })
  const platform: Platform = {
    name,
    config,
    clock,
    log: logger,
    databaseOptions,
    events,
    get bus() {
      return mechanisms.bus()
    },
    get database() {
      return mechanisms.database()
    },
    get relay() {
      return mechanisms.relay()
    },
    get locks() {
      return mechanisms.locks()
    },
    get views() {
      return mechanisms.views()
    },
    get jobs() {
      return mechanisms.jobs()
    },
    get cutover() {
      return mechanisms.cutover()
    },
    get ticks() {
      return ticks()
    },
    get venues() {
      return venues()
    },
    async redis() {
      const client = mechanisms.redis()
      await ready(client)
      return client
    },
    venue(venueName) {
      const known = papers.get(venueName)
      const spec = venues().venue(venueName)
      if (known || !spec) return known
      const paper = openPaperVenue({ spec, bus: platform.bus, database: platform.database, clock, config })
      papers.set(venueName, paper)
      return paper
    },
    async enqueue(tx, outgoing) {
      await enqueue(tx, outgoing)
      tx.afterCommit(() => platform.relay.nudge())
    },
    emitters: () => ({ ...mechanisms.emitters(), ...events }),
    close: () => resources.close(),
  }
  return platform
}

type Own = <T>(resource: T, close: (resource: T) => Promise<unknown> | unknown) => T

function openMechanisms(config: Config, clock: Clock, log: Logger, options: DatabaseOptions, own: Own) {
  const url = config.REDIS_URL
  const opened: { -readonly [K in keyof Emitters]: Emitters[K] } = {}
  const redis = once(() => own(connectRedis(url, 'writer', { name: 'platform' }), closeRedis))
  const bus = once(() => {
    const leases = { leaseMs: config.LEASE_MS, visibilityMs: config.VISIBILITY_MS }
    const one = openBus({ url, clock, ...leases, replicas: config.REDIS_WAIT_REPLICAS })
    opened.bus = one.events
    return own(one, (bus) => bus.close())
  })
  const database = once(() => {
    const one = openDatabase(options)
    opened.database = one.events
    return own(one, (database) => database.close())
  })
  const locks = once(() => {
    const urls = config.REDIS_LOCK_URLS === '' ? [url] : splitRedisUrls(config.REDIS_LOCK_URLS)
    const one = openLocks({ urls, database: database(), clock, names: lockNames })
    opened.locks = one.events
    return own(one, (locks) => locks.close())
  })
  const views = once(() => {
    const one = openViews({
      // The node of the keys tells what was dropped: its one connection keeps the order, the bus between nodes does not.
      connect: (role) => connectRedis(config.REDIS_CACHE_URL || url, role, { name: role, key: DROPS }),
      ...{ clock, maxEntries: config.CACHE_ENTRIES, maxLoads: config.CACHE_LOADS },
    })
    opened.cache = one.events
    return own(one, (views) => views.close())
  })
  const jobs = once(() => {
    const timing = { clock, drainMs: config.DRAIN_MS }
    const one = openJobs({ redisUrl: url, jobs: JOBS, prefix: JOB_PREFIX, log, ...timing })
    opened.jobs = one.events
    return own(one, (jobs) => jobs.close())
  })
  const cutover = once(() => {
    const one = openCutover({
      ...{ database: database(), clock, features: FEATURE_NAMES },
      tell: () => bus().tell(CUTOVER_CHANGES, ''),
      // After each subscription as well: what was said before it is gone.
      listen: (onChange) => bus().listen([CUTOVER_CHANGES], onChange, onChange),
    })
    opened.cutover = one.events
    return own(one, (cutover) => cutover.close())
  })
  const speakers = { [CACHE_DROPS]: (messages: readonly string[]) => views().dropTold(messages) }
  const relay = once(() => openRelay({ bus: bus(), database: database(), streams: STREAMS, speakers }))
  return { redis, bus, database, locks, views, jobs, cutover, relay, emitters: (): Emitters => opened }
}

export function databaseOptionsOf(config: Config, clock: Clock): DatabaseOptions {
  return {
    driver: config.DATABASE_DRIVER,
    url: config.DATABASE_URL,
    path: config.SQLITE_DB_PATH,
    pool: config.DATABASE_POOL,
    clock,
  }
}

/** Before its stores are used. Rejects with CUTOVER_REFUSED where the setting goes round its phase. */
export function beginFeature(platform: Platform, feature: FeatureName, as: Partial<Backing> = {}) {
  const backing = { ticks: tickBacking(platform.config), candles: candleBacking(platform) }[feature]
  return platform.cutover.begin(feature, { ...backing, ...as })
}

/**
 * Runs a worker until told to stop, or rejects with what ended it. After the abort its tasks have DRAIN_MS to finish
 * what they hold; what they do not finish is recovered by the next start.
 */
export async function runWorker(config: Config, worker: Worker, signal: AbortSignal): Promise<void> {
  const platform = openPlatform(config, { name: worker.name })
  const { log, clock } = platform
  const over = afterStop(signal, config.DRAIN_MS + 1_000)
  try {
    if (worker.usesDatabase) await migrate(platform.databaseOptions)
    for (const feature of worker.features ?? []) await beginFeature(platform, feature)
    const tasks = worker.tasks(platform)
    const counters = observe(platform.emitters(), { clock, log })
    const report: Task = async (stopped) => {
      const onFailure = (reason: string) => log.debug({ reason }, 'the report could not be written')
      await reportWorker({ redis: await platform.redis(), clock, name: worker.name, counters, onFailure })(
        stopped,
      )
    }
    log.info({ about: worker.about }, `${worker.name} started`)
    await withinDrain(runTasks([...tasks, report, aborted], signal), signal, config.DRAIN_MS, worker.name)
    log.info(`${worker.name} stopped`)
  } catch (error) {
    log.fatal({ err: error }, `${worker.name} cannot go on: ${messageOf(error)}`)
    throw error
  } finally {
    // What is not done in time holds up the closing too: with a full disk `ticks` did not end for ten minutes.
    await Promise.race([platform.close(), over])
  }
}

async function withinDrain(
  work: Promise<void>,
  signal: AbortSignal,
  drainMs: number,
  name: string,
): Promise<void> {
  const message = `${name} still held something after ${drainMs} ms; the next start recovers it.`
  const late = afterStop(signal, drainMs).then(() => {
    throw new SluiceError('DRAIN_LATE', message, { drainMs })
  })
  await Promise.race([work, late])
}

/** Resolves so long after the abort; does not keep the process alive. */
const afterStop = (signal: AbortSignal, ms: number): Promise<void> =>
  new Promise((resolve) => {
    const begin = () => void afterMs(ms, resolve)
    if (signal.aborted) begin()
    else signal.addEventListener('abort', begin, { once: true })
  })

/** Opens at the first call and gives the same afterwards. */
function once<T>(open: () => T): () => T {
  let opened: { value: T } | undefined
  return () => {
    opened ??= { value: open() }
    return opened.value
  }
}
