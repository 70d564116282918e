// Serves views from two levels and keeps them true. Memory is served only while drops are known to arrive; an answer is
// stored, here and in Redis, only if nothing dropped it while it was loading; a drop removes it from Redis in the same
// step that tells every process (docs/CACHE.md gives the rules and what breaks without each).
import { repeat } from '../kernel/index.ts'
import { closeRedis, type Redis } from '../redis/index.ts'
import { openAnswers } from './answer.ts'
import { openBatches } from './batches.ts'
import { openBreaker } from './breaker.ts'
import { openBulkhead } from './bulkhead.ts'
import { type Comparing, openComparing } from './comparing.ts'
import { type Counts, countsBetween, noCounts } from './counts.ts'
import { type Drop, decodeDrops } from './drops.ts'
import { type Epochs, openEpochs } from './epochs.ts'
import { type CacheEmitter, cacheEmitter, type FlushReason } from './events.ts'
import { openFailures } from './failures.ts'
import { type Listener, openListener } from './listener.ts'
import { openLoading } from './loading.ts'
import { type Memory, openMemory } from './memory.ts'
import type { Holding, Views, ViewsOptions } from './port.ts'
import { openRemote } from './remote.ts'
import { encodeKey, lifetimeOf, type View, type ViewKey } from './view.ts'
import { openWarming } from './warm.ts'

// Three answers that did not come within 50 ms: the fourth caller does not wait for one.
const BREAKER = { failures: 3, openMs: 500 }
// Arguments of one script: far below what Lua can unpack.
const DROPS_MAX = 1_000
const USED_EVERY_MS = 2_000

export function openViews(options: ViewsOptions): Views {
  const parts = openParts(options)
  const { events, counts, remote, batches, dropping } = parts
  const get = openGetting(parts, options)

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
    warm: parts.warm,
    isWarmed: async () => (await batches.standing()).isWarmed,
    async warmEpoch(sources, how = {}) {
      const { epoch, isWarmed } = await batches.standing()
      if (isWarmed) return undefined
      const reports = await parts.warm(sources, how)
      // A view that failed is left to its readers; where all did, the database is away.
      const isDone = reports.length === 0 || reports.some(({ reason }) => reason === undefined)
      if (isDone && !how.signal?.aborted) await batches.noteWarmed(epoch)
      return reports
    },
    stats: () => ({ ...counts, ...parts.holding() }),
    close: parts.close,
  }
}

/** From memory, or with whoever asks for the same, or by a load of its own. */
function openGetting(
  { counts, memory, listener, answers, comparing, isHeard }: ReturnType<typeof openParts>,
  { clock, heartbeatMs = 200 }: ViewsOptions,
): Views['get'] {
  return <K extends ViewKey, V>(
    view: View<K, V>,
    key: NoInfer<K>,
    load: (signal: AbortSignal) => Promise<V>,
  ): Promise<V> => {
    const text = encodeKey(view, key)
    const now = clock.monotonic()
    listener.start()
    const isProven = listener.proven(now)
    if (isProven) {
      const found = memory.find(view.name, text, now)
      if (found) {
        counts.memoryHits++
        if (now >= comparing.dueAt()) {
          const softMs = lifetimeOf(view, key, clock.now())
          comparing.offer({ view, key, load }, found.answer as Promise<V>, softMs - (found.goodUntil - now))
        }
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
    if (now >= comparing.dueAt()) comparing.offer({ view, key, load }, answer)
    return answer
  }
}

function openParts(options: ViewsOptions) {
  const { clock, heartbeatMs = 200, proofMs = 300, throttleMs = 1_000, leaseMs = 3_000 } = options
  const events = cacheEmitter()
  const counts = noCounts()
  const memory = openMemory(options.maxEntries ?? 10_000, options.maxBytes ?? 64 * 1_048_576)
  const bulkhead = openBulkhead(options.maxLoads ?? 16, options.loadMs ?? 2_500)
  const onChange = (reached: boolean, reason: string) => void events.emit('reached', { reached, reason })
  const breaker = openBreaker({ ...BREAKER, clock, onChange })
  const client = lazily(() => options.connect('cache'))
  const epochs = openEpochs({ client: client.get, clock, breaker })
  const remote = openRemote({ epochs, clock, leaseMs })
  const isHeard = () => listener.proven(clock.monotonic())
  const times = { everyMs: 2_000, afterMs: proofMs + 200, settleMs: 3_000, ...options.compare }
  const comparing = openComparing({ ...times, bulkhead, clock, events, isHeard })
  const dropping = openDropping({ memory, epochs, comparing, events, counts })
  const connect = () => options.connect('subscriber')
  const listener: Listener = openListener({ connect, clock, heartbeatMs, proofMs, ...dropping })
  const failures = openFailures(clock, throttleMs)
  const loading = openLoading({ remote, bulkhead, clock, events, counts, throttleMs, leaseMs })
  const answers = openAnswers({ memory, remote, loading, failures, clock, events, counts })
  const batches = openBatches(epochs, leaseMs)
  const warm = openWarming({ batches, bulkhead, clock, events })
  const holding = (): Holding => ({
    ...{ ...memory.size(), serving: isHeard(), loading: bulkhead.running(), breaker: breaker.state() },
    proofAgeMs: listener.proofAgeMs(clock.monotonic()),
  })
  const stop = new AbortController()
  void repeat(USED_EVERY_MS, clock, tellUsed(counts, holding, events))(stop.signal)
  return {
    ...{ events, counts, memory, remote, listener, answers, dropping, comparing, batches, warm },
    ...{ isHeard, holding },
    async close() {
      stop.abort()
      comparing.close()
      await listener.close()
      dropping.flush('closed')
      await client.close()
    },
  }
}

/** Hits are too many for an event each: what was done is told as a sum. */
function tellUsed(counts: Counts, holding: () => Holding, events: CacheEmitter) {
  let before = { ...counts }
  return () => {
    const after = { ...counts }
    events.emit('used', { done: countsBetween(before, after), now: holding() })
    before = after
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

interface DroppingOptions {
  readonly memory: Memory
  readonly epochs: Epochs
  readonly comparing: Comparing
  readonly events: CacheEmitter
  readonly counts: Counts
}

/** What is heard, and what follows for the memory. */
function openDropping({ memory, epochs, comparing, events, counts }: DroppingOptions) {
  const flush = (reason: FlushReason) => {
    comparing.lost()
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
      comparing.heard(drops)
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
