// Fills Redis with what readers will ask for, before they do: the leases of a batch are taken, its answers are loaded by
// few queries, and stored. What is there or under way is left alone, and a drop that overtakes a warming voids it, exactly
// as with a load.
import { type Clock, messageOf, SluiceError } from '../kernel/index.ts'
import type { Batches, Filling } from './batches.ts'
import type { Bulkhead } from './bulkhead.ts'
import type { Spot } from './entries.ts'
import { isAway } from './epochs.ts'
import type { CacheEmitter } from './events.ts'
import { checked, textOf } from './loading.ts'
import { spotOf } from './remote.ts'
import type { AnySource, WarmSource } from './source.ts'
import { termsOf, type ViewKey } from './view.ts'

/** What became of the keys of one view; their sum is `keys`, less what an abort or a failure left. */
export interface WarmReport {
  readonly view: string
  readonly keys: number
  readonly warmed: number
  /** Fresh already, or being loaded by somebody. */
  readonly skipped: number
  /** Dropped while they were loaded. */
  readonly refused: number
  readonly failed: number
  readonly tookMs: number
  /** Why the view was given up, or the first of its answers that failed. */
  readonly reason?: string
}

export interface WarmOptions {
  /** Entries a second at most, of all views together. Default 10,000. */
  readonly perSecond?: number
  /** Ends it between two batches. */
  readonly signal?: AbortSignal
  /** After each batch. */
  readonly onProgress?: (report: WarmReport) => void
}

export interface WarmingOptions {
  readonly batches: Batches
  readonly bulkhead: Bulkhead
  readonly clock: Clock
  readonly events: CacheEmitter
}

/** One call of a script for so many: 2 ms of the server, in which nobody else is answered. */
const BATCH = 250

// Longer than the breaker stays open, so that each try is one.
const AWAY_MS = 600
const TRIES = 5

type WarmableSource = AnySource & { readonly warm: WarmSource<ViewKey, unknown> }
type Counted = { -readonly [K in keyof WarmReport]: WarmReport[K] }

export function openWarming(options: WarmingOptions) {
  const { clock, events } = options
  const warmBatch = openBatch(options)

  /** Adds what became of a batch to the report. A Redis that does not answer in time is asked again a little later. */
  async function warmSome(
    source: WarmableSource,
    keys: readonly ViewKey[],
    report: Counted,
    how: WarmOptions,
  ) {
    for (let tries = 1; ; tries++) {
      try {
        const { reason, ...counts } = await warmBatch(source, keys)
        for (const name of Object.keys(counts) as (keyof typeof counts)[]) report[name] += counts[name]
        if (reason !== undefined) report.reason ??= reason
        break
      } catch (error) {
        if (isAway(error) && tries < TRIES && !how.signal?.aborted) await clock.sleep(AWAY_MS, how.signal)
        else {
          report.failed += keys.length
          throw error
        }
      }
    }
    how.onProgress?.({ ...report })
  }
  async function warmView(source: WarmableSource, pace: Pace, how: WarmOptions) {
    const began = clock.monotonic()
    const report: Counted = {
      ...{ view: source.view.name, keys: 0, warmed: 0, skipped: 0, refused: 0, failed: 0, tookMs: 0 },
    }
    let last: Promise<void> = Promise.resolve()
    try {
      const keys = await options.bulkhead.run(() => source.warm.keys())
      report.keys = keys.length
      for (let at = 0; at < keys.length && !how.signal?.aborted; at += BATCH) {
        const some = keys.slice(at, at + BATCH)
        await pace(some.length)
        if (how.signal?.aborted) break
        const before = last
        // The server stores one batch while the next is loaded.
        last = warmSome(source, some, report, how)
        last.catch(() => {})
        await before
      }
      await last
    } catch (error) {
      await last.catch(() => {})
      report.reason ??= messageOf(error)
    }
    report.tookMs = clock.monotonic() - began
    events.emit('warmed', report)
    return report as WarmReport
  }
  return async (sources: readonly AnySource[], how: WarmOptions = {}): Promise<WarmReport[]> => {
    const pace = openPace(clock, how.perSecond ?? 10_000, how.signal)
    const reports: WarmReport[] = []
    for (const source of sources) {
      if (!isWarm(source)) continue
      if (how.signal?.aborted) break
      reports.push(await warmView(source, pace, how))
    }
    return reports
  }
}

const isWarm = (source: AnySource): source is WarmableSource =>
  source.warm !== undefined && source.view.level !== 'memory'

/** What became of one batch. */
type Outcome = Pick<WarmReport, 'warmed' | 'skipped' | 'refused' | 'failed' | 'reason'>

function openBatch({ batches, bulkhead, clock }: WarmingOptions) {
  return async ({ view, warm }: WarmableSource, keys: readonly ViewKey[]): Promise<Outcome> => {
    const spots = keys.map((key) => spotOf(view, key))
    // Room first, because a lease that waits for room is one that everybody waits for.
    const { lease, wanted, values } = await bulkhead.run(async (signal) => {
      const lease = await batches.lease(spots)
      const wanted = keys.flatMap((key, i) => (lease.isMine[i] ? [{ key, spot: spots[i]! }] : []))
      const asked = wanted.map(({ key }) => key)
      try {
        const values = asked.length === 0 ? [] : await warm.loadMany(asked, signal)
        if (values.length !== asked.length) throw unequal(view.name, asked.length, values.length)
        return { lease, wanted, values }
      } catch (error) {
        await batches.release(lease, spotsOf(wanted)).catch(() => {})
        throw error
      }
    })
    const { fillings, reason } = fillingsOf(view, wanted, values, clock.now())
    let stored: readonly boolean[] = []
    try {
      if (fillings.length > 0) stored = await batches.fill(lease, fillings)
    } finally {
      // Who asks for what could not be stored loads it at once. Of those that were, nothing changes.
      if (stored.length < wanted.length) await batches.release(lease, spotsOf(wanted)).catch(() => {})
    }
    const warmed = stored.filter(Boolean).length
    return {
      ...{ warmed, skipped: keys.length - wanted.length, refused: stored.length - warmed },
      failed: wanted.length - stored.length,
      ...(reason !== undefined && { reason }),
    }
  }
}

interface Wanted {
  readonly key: ViewKey
  readonly spot: Spot
}

const spotsOf = (wanted: readonly Wanted[]) => wanted.map(({ spot }) => spot)

/** What has the view's shape, and why the first of the others has not. */
function fillingsOf(
  view: AnySource['view'],
  wanted: readonly Wanted[],
  values: readonly unknown[],
  now: number,
): { fillings: readonly Filling[]; reason: string | undefined } {
  let reason: string | undefined
  const fillings = wanted.flatMap(({ key, spot }, i) => {
    try {
      return [{ spot, text: textOf(checked(view, values[i])), ...termsOf(view, key, now) }]
    } catch (error) {
      reason ??= messageOf(error)
      return []
    }
  })
  return { fillings, reason }
}

const unequal = (view: string, keys: number, values: number) =>
  new SluiceError('PAYLOAD_INVALID', `Warming ${view} gave ${values} answers for ${keys} keys.`, { view })

type Pace = (entries: number) => Promise<void>

/** Resolves when so many more may go. */
function openPace(clock: Clock, perSecond: number, signal: AbortSignal | undefined): Pace {
  const began = clock.monotonic()
  let gone = 0
  return async (entries) => {
    const aheadMs = began + (gone / perSecond) * 1_000 - clock.monotonic()
    gone += entries
    if (aheadMs > 0) await clock.sleep(aheadMs, signal)
  }
}
