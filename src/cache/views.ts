// Serves views from two levels and keeps them true. Memory is served only while drops are known to arrive; an answer is
// stored, here and in Redis, only if nothing dropped it while it was loading; a drop removes it from Redis in the same
// step that tells every process (docs/CACHE.md gives the rules and what breaks without each).
import type { Clock } from '../kernel/index.ts'
import { closeRedis, type Redis } from '../redis/index.ts'
import { openAnswers } from './answer.ts'
import { type BreakerState, openBreaker } from './breaker.ts'
import { openBulkhead } from './bulkhead.ts'
import { type Counts, noCounts } from './counts.ts'
import { type Drop, decodeDrops } from './drops.ts'
import { type Epochs, openEpochs } from './epochs.ts'
import { type CacheEmitter, cacheEmitter, type FlushReason } from './events.ts'
import { openFailures } from './failures.ts'
import { openListener } from './listener.ts'
import { type Memory, openMemory } from './memory.ts'
import { openRemote } from './remote.ts'
import { encodeKey, type View, type ViewKey } from './view.ts'

export interface CacheStats extends Readonly<Counts> {
  /** Memory is being served. */
  readonly serving: boolean
  readonly entries: number
  readonly bytes: number
  /** Loads that run now. */
  readonly loading: number
  /** `closed`: the level in Redis is used. */
  readonly breaker: BreakerState
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
  get<K extends ViewKey, V>(view: View<K, V>, key: NoInfer<K>, load: () => Promise<V>): Promise<V>
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
}

// Three answers that did not come within 50 ms: the fourth caller does not wait for one.
const BREAKER = { failures: 3, openMs: 500 }
// Arguments of one script: far below what Lua can unpack.
const DROPS_MAX = 1_000

export function openViews(options: ViewsOptions): Views {
  const { clock, heartbeatMs = 200 } = options
  const parts = openParts(options)
  const { events, counts, memory, remote, listener, answers, dropping } = parts
  const isHeard = () => listener.proven(clock.monotonic())

  function get<K extends ViewKey, V>(view: View<K, V>, key: NoInfer<K>, load: () => Promise<V>): Promise<V> {
    const text = encodeKey(view, key)
    const now = clock.monotonic()
    listener.start()
    const isProven = listener.proven(now)
    if (isProven) {
      const found = memory.find(view.name, text, now)
      if (found) {
        counts.memoryHits++
        if (now >= found.eagerAt) {
          found.eagerAt = Number.POSITIVE_INFINITY
          void answers.renew({ view, key, load })
        }
        return found.answer as Promise<V>
      }
    } else counts.unheard++
    const current = memory.underWay(view.name, text)
    // Without drops nobody would detach from a load that has read too early: it is shared for a moment only.
    if (current?.answer && (isProven || now - current.beganAt < heartbeatMs)) {
      counts.joined++
      return current.answer as Promise<V>
    }
    const ticket = memory.begin(view.name, text, view.tags?.(key) ?? [], now)
    const answer = answers.answer({ view, key, load }, ticket, isHeard)
    ticket.answer = answer
    return answer
  }

  async function drop(drops: readonly Drop[]): Promise<void> {
    dropping.onDrops(drops)
    for (let i = 0; i < drops.length; i += DROPS_MAX) await remote.drop(drops.slice(i, i + DROPS_MAX))
  }
  async function dropEverything(): Promise<void> {
    dropping.flush('epoch')
    await remote.reset()
  }
  return {
    events,
    get(view, key, load) {
      try {
        return get(view, key, load)
      } catch (error) {
        // A key that is refused rejects like everything else.
        return Promise.reject(error)
      }
    },
    drop,
    async dropTold(messages) {
      const drops = messages.map(decodeDrops)
      if (drops.includes(undefined)) await dropEverything()
      else await drop(drops.flatMap((some) => some ?? []))
    },
    dropEverything,
    stats: () => ({ ...counts, ...memory.size(), serving: isHeard(), ...parts.state() }),
    close: parts.close,
  }
}

function openParts(options: ViewsOptions) {
  const { clock, heartbeatMs = 200, proofMs = 300, throttleMs = 1_000 } = options
  const events = cacheEmitter()
  const counts = noCounts()
  const memory = openMemory(options.maxEntries ?? 10_000, options.maxBytes ?? 64 * 1_048_576)
  const bulkhead = openBulkhead(options.maxLoads ?? 16, options.loadMs ?? 2_500)
  const onChange = (reached: boolean, reason: string) => void events.emit('reached', { reached, reason })
  const breaker = openBreaker({ ...BREAKER, clock, onChange })
  const client = lazily(() => options.connect('cache'))
  const epochs = openEpochs({ client: client.get, clock, breaker })
  const remote = openRemote({ epochs, clock, leaseMs: options.leaseMs ?? 3_000 })
  const dropping = openDropping(memory, epochs, events, counts)
  const connect = () => options.connect('subscriber')
  const listener = openListener({ connect, clock, heartbeatMs, proofMs, ...dropping })
  const failures = openFailures(clock, throttleMs)
  const answers = openAnswers({ memory, remote, bulkhead, failures, clock, events, counts, throttleMs })
  return {
    ...{ events, counts, memory, remote, listener, answers, dropping },
    state: () => ({ loading: bulkhead.running(), breaker: breaker.state() }),
    async close() {
      await listener.close()
      dropping.flush('closed')
      await client.close()
    },
  }
}

function lazily(connect: () => Redis) {
  let client: Redis | undefined
  let isClosed = false
  return {
    get(): Redis | undefined {
      if (!isClosed) client ??= connect()
      return client
    },
    async close() {
      isClosed = true
      if (client) await closeRedis(client)
    },
  }
}

/** What is heard, and what follows for the memory. */
function openDropping(memory: Memory, epochs: Epochs, events: CacheEmitter, counts: Counts) {
  const flush = (reason: FlushReason) => {
    const entries = memory.flush()
    counts.flushes++
    events.emit('flushed', { reason, entries })
  }
  const forget = (drop: Drop): number => {
    if ('tag' in drop) return memory.dropTag(drop.tag)
    const at = drop.place.indexOf(':')
    return memory.drop(drop.place.slice(0, at), drop.place.slice(at + 1))
  }
  return {
    flush,
    onDrops(drops: readonly Drop[]) {
      const entries = drops.reduce((sum, drop) => sum + forget(drop), 0)
      counts.dropped += entries
      events.emit('dropped', { entries })
    },
    onGap(why: 'sequence' | 'epoch' | 'malformed') {
      counts.gaps++
      epochs.forget()
      flush(why)
    },
    onConfirmed() {
      // Another may have begun while nothing was heard.
      epochs.forget()
      flush('connected')
      events.emit('serving', { serving: true })
    },
    onLost() {
      flush('disconnected')
      events.emit('serving', { serving: false })
    },
    onError: (reason: string) => void events.emit('disturbed', { reason }),
  }
}
