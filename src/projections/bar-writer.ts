// Writes the keys of one series of candles: its sets, its snapshot and its histories.
import { type BarKey, openSqlCandles } from '../candles/index.ts'
import { type MarketHours, type ProjectionFamily, projections } from '../catalog/index.ts'
import type { Database } from '../db/index.ts'
import type { Clock } from '../kernel/index.ts'
import {
  type BarSet,
  barPatterns,
  barSets,
  historyKey,
  historyPattern,
  snapshotKey,
  type Window,
  windowOf,
  windowsAmong,
} from './bar-keys.ts'
import { readBars } from './read-bars.ts'
import type { ProjectionWriter } from './writer.ts'

export interface BarWriterOptions {
  readonly writer: ProjectionWriter
  readonly database: Database
  readonly clock: Clock
  readonly families: ReadonlySet<ProjectionFamily>
  /** Of the market that a source tells of. */
  readonly hoursOf: (source: string) => MarketHours
}

/** Where a series has changed, bars that are gone included; ms UTC, both inclusive. */
export interface BarChange {
  readonly key: BarKey
  from: number
  to: number
}

export interface StoredSeries {
  readonly key: BarKey
  /** Time of its newest bar, ms UTC. */
  readonly last: number
}

export interface BarWriter {
  /** Every series that is stored; from now on each counts as not written. The sets of others are removed. */
  series(): Promise<StoredSeries[]>
  /** All its keys, with its newest history. */
  writeWhole(series: StoredSeries): Promise<void>
  writeChange(change: BarChange): Promise<void>
  /** The histories that have waited long enough; one that is refused waits as long again. */
  writeDueHistories(): Promise<void>
  /** How often a ticker came or went. */
  tickerChanges(): number
  /** The list of tickers. */
  writeList(): Promise<void>
}

// A day of minutes is 100 kB, and its last bar changes with every tick.
const HISTORY_EVERY_MS = 10_000
/** More bars are written as a whole. */
const AMEND_MAX = 1_000
const WINDOW_MAX = 5_000
const ATTEMPTS = 3

export function openBarWriter(options: BarWriterOptions): BarWriter {
  const { writer, database, clock, families } = options
  const store = openSqlCandles({ database, clock })
  const withCandles = families.has('candles')
  const histories = openHistories(options)
  const tickers = openTickers()
  /** By ticker and interval: the source that stands for it, as it was when it was written. */
  const firsts = new Map<string, string | undefined>()

  const writeSets = async (key: BarKey, isFirst: boolean, change: BarChange | undefined) => {
    for (const set of barSets(key, isFirst, families)) await writeSet(options, set, key, change)
  }
  /** True when the series stands for its ticker. */
  const write = async (key: BarKey, change?: BarChange): Promise<boolean> => {
    const sources = await store.sources(key.ticker, key.interval)
    const [first] = sources
    const isStored = sources.includes(key.source) || (await store.keys(key.source, key.ticker)).length > 0
    if (isStored) tickers.know(key)
    else tickers.forget(key)
    const name = `${key.ticker}\n${key.interval}`
    const isSame = firsts.get(name) === first
    const isFirst = first === key.source || first === undefined
    // Another source stands for it now: nothing of the former stays.
    if (!isSame && !isFirst) await writeSets({ ...key, source: first }, true, undefined)
    await writeSets(key, isFirst, isSame || !isFirst ? change : undefined)
    firsts.set(name, first)
    if (!withCandles) return isFirst
    const version = await writer.ticket()
    await writer.put({ ...(await snapshotKey(store, key)), version })
    return isFirst
  }
  return {
    async series() {
      tickers.clear()
      firsts.clear()
      const version = await writer.ticket()
      const keys = await store.keys()
      await removeOthers(options, keys, version)
      return keys.map(({ bars: _, first: __, last, ...key }) => {
        tickers.know(key)
        return { key, last }
      })
    },
    async writeWhole({ key, last }) {
      const isFirst = await write(key)
      if (isFirst && withCandles) await writeHistories(options, key, [windowOf(key.interval, last)])
    },
    async writeChange(change) {
      const isFirst = await write(change.key, change)
      if (isFirst && withCandles) histories.wait(change)
    },
    tickerChanges: tickers.changes,
    writeDueHistories: histories.writeDue,
    async writeList() {
      if (!withCandles) return
      const { key, lifetimeMs } = projections.tickerList
      const version = await writer.ticket()
      const value = JSON.stringify(tickers.list())
      await writer.put({ key: key({}), version, lifetimeMs, content: { type: 'string', value } })
    },
  }
}

/** The tickers that are stored. */
function openTickers() {
  const known = new Map<string, Pick<BarKey, 'source' | 'ticker'>>()
  let changes = 0
  return {
    know({ source, ticker }: BarKey): void {
      const name = `${source}\n${ticker}`
      if (!known.has(name)) changes++
      known.set(name, { source, ticker })
    },
    forget({ source, ticker }: BarKey): void {
      if (known.delete(`${source}\n${ticker}`)) changes++
    },
    clear: () => known.clear(),
    /** How often one came or went. */
    changes: () => changes,
    list: () => [...known].sort().map(([, one]) => one),
  }
}

/** Histories that have changed, each written now and then only. */
function openHistories(options: BarWriterOptions) {
  /** By series: when they were written, and what of them has changed since. */
  const histories = new Map<string, { writtenAt: number; due: BarChange | undefined }>()
  return {
    wait(change: BarChange): void {
      const { source, ticker, interval } = change.key
      const name = `${source}\n${ticker}\n${interval}`
      const history = histories.get(name) ?? { writtenAt: Number.NEGATIVE_INFINITY, due: undefined }
      histories.set(name, history)
      const { from, to } = history.due ?? change
      history.due = { ...change, from: Math.min(from, change.from), to: Math.max(to, change.to) }
    },
    async writeDue(): Promise<void> {
      const now = options.clock.monotonic()
      let names: Promise<string[]> | undefined
      const known = () => (names ??= options.writer.names(historyPattern()))
      for (const history of histories.values()) {
        if (!history.due || now - history.writtenAt < HISTORY_EVERY_MS) continue
        history.writtenAt = now
        await writeHistories(options, history.due.key, await windowsOf(history.due, known))
        history.due = undefined
      }
    },
  }
}

/** What was purged while nobody kept: some of these keys end never. @param version from before the keys were read. */
async function removeOthers(
  { writer, families }: BarWriterOptions,
  keys: readonly BarKey[],
  version: number,
): Promise<void> {
  const stored = new Set(keys.flatMap((key) => barSets(key, true, families).map((set) => set.key)))
  for (const { pattern, ends } of barPatterns(families)) {
    for (const key of await writer.names(pattern)) {
      if (stored.has(key) || !ends.some((end) => key.endsWith(`:${end}`))) continue
      await writer.put({ key, version, lifetimeMs: undefined, content: { type: 'none' } })
    }
  }
}

/** Reads again when something newer was written meanwhile: that may have been another range. */
async function writeSet(
  { writer, database }: BarWriterOptions,
  set: BarSet,
  key: BarKey,
  change: BarChange | undefined,
): Promise<void> {
  const { lifetimeMs, cap } = set
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const version = await writer.ticket()
    if (change) {
      const { from, to } = change
      const changed = await readBars(database, key, { from, to, limit: AMEND_MAX })
      if (changed.length < AMEND_MAX) {
        const replaces = { from: set.score(from), to: set.score(to) }
        const members = changed.map(set.member)
        const answer = await writer.amend({ key: set.key, version, lifetimeMs, cap, replaces, members })
        if (answer === 'written') return
      }
    }
    const all = await readBars(database, key, { limit: cap })
    const content = { type: 'sorted set', members: all.map(set.member) } as const
    if (await writer.put({ key: set.key, version, lifetimeMs, content })) return
  }
}

/**
 * Where a history has changed: the first and the last window, and those between them that are there already. A bar of
 * 1970 has 20,454 days between it and today, and almost none of them has bars.
 */
async function windowsOf({ key, from, to }: BarChange, names: () => Promise<string[]>): Promise<Window[]> {
  const [after, before] = [windowOf(key.interval, from), windowOf(key.interval, to)]
  if (after.from === before.from) return [after]
  const isGap = after.to + 1 < before.from
  return [after, ...(isGap ? windowsAmong(await names(), key, { after, before }) : []), before]
}

/** One without a bar is removed. */
async function writeHistories(
  { writer, database, clock, hoursOf }: BarWriterOptions,
  key: BarKey,
  windows: readonly Window[],
): Promise<void> {
  const terms = { now: clock.now(), hours: hoursOf(key.source) }
  for (const window of windows) {
    const version = await writer.ticket()
    const bars = await readBars(database, key, { ...window, limit: WINDOW_MAX })
    await writer.put({ ...historyKey(key, window, bars, terms), version })
  }
}
