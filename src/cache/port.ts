// What a cache offers to its process, and what it is given.
import type { Clock } from '../kernel/index.ts'
import type { Redis } from '../redis/index.ts'
import type { BreakerState } from './breaker.ts'
import type { CompareTimes } from './comparing.ts'
import type { Counts } from './counts.ts'
import type { Drop } from './drops.ts'
import type { CacheEmitter } from './events.ts'
import type { AnySource } from './source.ts'
import type { View, ViewKey } from './view.ts'
import type { WarmOptions, WarmReport } from './warm.ts'

export interface CacheStats extends Readonly<Counts>, Holding {}

export interface Holding {
  /** Memory is being served. */
  readonly serving: boolean
  readonly entries: number
  readonly bytes: number
  /** Loads that run now. */
  readonly loading: number
  /** `closed`: the level in Redis is used. */
  readonly breaker: BreakerState
  /** How long ago it was asked whether all drops had arrived, ms: nothing in memory is older after its drop. */
  readonly proofAgeMs: number
}

export interface Views {
  readonly events: CacheEmitter
  /**
   * The answer from memory, from Redis, or from `load`, which is called at most once at a time for each key in all
   * processes. An answer read before a drop was heard is never given after it. What `load` throws goes to everyone who
   * waits, and to who asks within the next second. Rejects with PAYLOAD_INVALID when the answer does not have the
   * view's shape, with CACHE_OVERLOADED when the loaders are too slow for what is asked. Callers share the answer and
   * must not change it.
   */
  get<K extends ViewKey, V>(
    view: View<K, V>,
    key: NoInfer<K>,
    load: (signal: AbortSignal) => Promise<V>,
  ): Promise<V>
  /**
   * Drops answers, and all under tags, in every process. Rejects with REDIS_UNAVAILABLE: nobody but this process has
   * heard of it.
   */
  drop(drops: readonly Drop[]): Promise<void>
  /**
   * What writers have put into their outboxes (`encodeDrops`), in one go. A message that cannot be read may have meant
   * anything, and drops everything.
   */
  dropTold(messages: readonly string[]): Promise<void>
  /**
   * Puts into Redis what readers will ask for, a view after the other; a report for each that has something to warm. What
   * is there, or loaded by somebody, is left. A view whose loading fails, or whose Redis is away, is given up: its
   * report says why. Who leads is the caller's business.
   */
  warm(sources: readonly AnySource[], options?: WarmOptions): Promise<WarmReport[]>
  /** Whether `warmEpoch` has done its work in the present epoch. Rejects with REDIS_UNAVAILABLE. */
  isWarmed(): Promise<boolean>
  /**
   * Warms once in each epoch of Redis, which begins with a start of its server, a flush or `dropEverything`; undefined
   * when that was done. Rejects with REDIS_UNAVAILABLE.
   */
  warmEpoch(sources: readonly AnySource[], options?: WarmOptions): Promise<WarmReport[] | undefined>
  /** Every answer of every view, in every process. */
  dropEverything(): Promise<void>
  stats(): CacheStats
  /** Stops listening and forgets everything; later calls of `get` go past the memory. */
  close(): Promise<void>
}

export interface ViewsOptions {
  /** Makes a connection at the first need, to the server of the cache; the cache owns and closes it. */
  readonly connect: (role: 'subscriber' | 'cache') => Redis
  readonly clock: Clock
  /** Answers kept in memory, all views together. Default 10,000. */
  readonly maxEntries?: number
  /** Their size, estimated. Default 64 MiB. */
  readonly maxBytes?: number
  /** Pause between two proofs that drops arrive, ms. Default 200. */
  readonly heartbeatMs?: number
  /** Longest time memory is served after the last proof was asked for, ms. Default 300. */
  readonly proofMs?: number
  /** Loads that run at once. Default 16. */
  readonly maxLoads?: number
  /** Longest time of a load, and as long again of waiting for one to begin, ms. Default 2,500. */
  readonly loadMs?: number
  /** How long nobody else loads what one is loading, ms. Default 3,000. */
  readonly leaseMs?: number
  /** How long nobody tries again what has failed, ms. Default 1,000. */
  readonly throttleMs?: number
  /** When answers are compared with their sources. */
  readonly compare?: Partial<CompareTimes>
}
