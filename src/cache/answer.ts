// One answer that memory does not have: from Redis, or from its loader under a lease that only one caller in all
// processes holds, or, while Redis is away, from its loader with nothing but the bulkhead in front.
import { type Clock, messageOf } from '../kernel/index.ts'
import type { Counts } from './counts.ts'
import { isAway } from './epochs.ts'
import type { CacheEmitter } from './events.ts'
import type { Failures } from './failures.ts'
import { errorOf, LOST, type Loading, type Question, readText } from './loading.ts'
import type { Memory, Ticket } from './memory.ts'
import { type Held, type Remote, spotOf } from './remote.ts'
import { lifetimeOf, placeOf, type ViewKey } from './view.ts'

export interface AnswerOptions {
  readonly memory: Memory
  readonly remote: Remote
  readonly loading: Loading
  readonly failures: Failures
  readonly clock: Clock
  readonly events: CacheEmitter
  readonly counts: Counts
}

// Waiting for the holder of a lease: first looks soon, for loads of a few ms.
const WAIT_FIRST_MS = 3
const WAIT_MAX_MS = 50
/** In this last part of its lifetime an answer that is asked for is loaded again before it ends. */
const EAGER_PART = 0.1

export interface Answers {
  /** @param isHeard whether drops are known to arrive. */
  answer<K extends ViewKey, V>(question: Question<K, V>, ticket: Ticket, isHeard: () => boolean): Promise<V>
  /** Loads an answer again that will soon end, unless somebody does already. Never rejects. */
  renew<K extends ViewKey, V>(question: Question<K, V>): Promise<void>
}

export function openAnswers(options: AnswerOptions): Answers {
  const { memory, remote, loading, clock, counts } = options
  const direct = openDirect(options)
  const keep = openKeeping(options)

  async function fromRedis<K extends ViewKey, V>(
    question: Question<K, V>,
    ticket: Ticket,
    isHeard: () => boolean,
  ): Promise<V> {
    const spot = spotOf(question.view, question.key)
    const hit = (held: Held, value: V): V => {
      counts.redisHits++
      keep(question, ticket, held, value)
      return value
    }
    // Whether the script has just given as fresh what cannot be read.
    let isDamaged = false
    for (let pauseMs = WAIT_FIRST_MS; ; pauseMs = Math.min(pauseMs * 2, WAIT_MAX_MS)) {
      // A plain read knows no epoch, and only who hears drops is told of another: the script of the lease compares it.
      const held = isHeard() ? await remote.read(spot) : undefined
      const read = held && readText<V>(held.text)
      if (held && read && held.freshMs > 0) return hit(held, read.value)
      // What is there and cannot be read is loaded anew, however long it would be fresh.
      const leased = await remote.lease(spot, isDamaged || (held && !read) ? Number.MAX_SAFE_INTEGER : 0)
      // Whoever loads it meanwhile has mended it.
      isDamaged = false
      if (leased.kind === 'fresh') {
        const stored = readText<V>(leased.held.text)
        if (stored) return hit(leased.held, stored.value)
        isDamaged = true
        continue
      }
      const old = leased.old === undefined ? undefined : readText<V>(leased.old)
      if (leased.kind === 'lease') {
        if (!old) {
          const loaded = await loading.fill(question, spot, leased)
          if (loaded === LOST) continue
          if (loaded.filled) keep(question, ticket, loaded.filled, loaded.value)
          return loaded.value
        }
        void loading.refresh(question, spot, leased)
      }
      if (old) {
        counts.oldGiven++
        return old.value
      }
      if (leased.kind === 'failed') throw errorOf(leased.error)
      counts.waits++
      await clock.sleep(Math.min(pauseMs, leased.kind === 'wait' ? leased.ms + 1 : pauseMs))
    }
  }

  return {
    async answer(question, ticket, isHeard) {
      try {
        if (question.view.level === 'memory') return await direct(question, ticket, isHeard)
        try {
          return await fromRedis(question, ticket, isHeard)
        } catch (error) {
          if (!isAway(error)) throw error
          counts.bypassed++
          return await direct(question, ticket, isHeard)
        }
      } finally {
        memory.end(ticket)
      }
    },
    renew: openRenewing(options),
  }
}

function openRenewing({ remote, loading, clock, events }: AnswerOptions): Answers['renew'] {
  return async ({ view, key, load }) => {
    if (view.level === 'memory') return
    try {
      const spot = spotOf(view, key)
      const eagerMs = Math.ceil(EAGER_PART * lifetimeOf(view, key, clock.now()))
      const leased = await remote.lease(spot, eagerMs)
      if (leased.kind === 'lease') await loading.refresh({ view, key, load }, spot, leased)
    } catch (error) {
      events.emit('disturbed', { reason: messageOf(error) })
    }
  }
}

function openKeeping({ memory, clock }: AnswerOptions) {
  /** Keeps what is in Redis in memory as well, unless it was dropped since the ticket began. */
  return <K extends ViewKey, V>(
    { view, key }: Question<K, V>,
    ticket: Ticket,
    held: Held,
    value: V,
  ): void => {
    if (view.level === 'redis') return
    const softMs = lifetimeOf(view, key, clock.now())
    // A clock of the server that was put forward must not make it longer than it may be.
    const freshMs = Math.min(held.freshMs, softMs)
    if (freshMs <= 0) return
    const goodUntil = clock.monotonic() + freshMs
    const eagerAt = goodUntil - EAGER_PART * softMs
    memory.store(ticket, value, { bytes: held.text.length * 2, goodUntil, eagerAt })
  }
}

/** Without the level in Redis. Stored in memory only, and only where drops are heard. */
function openDirect({ memory, failures, loading, clock, events, counts }: AnswerOptions) {
  return async <K extends ViewKey, V>(
    question: Question<K, V>,
    ticket: Ticket,
    isHeard: () => boolean,
  ): Promise<V> => {
    const { view, key } = question
    const place = placeOf(view, key)
    const failure = failures.find(place)
    if (failure) throw failure.error
    // From before the load: what was read cannot be older than this.
    const goodUntil = clock.monotonic() + lifetimeOf(view, key, clock.now())
    let value: V
    try {
      value = await loading.load(question)
    } catch (error) {
      failures.add(place, error)
      throw error
    }
    if (view.level === 'redis' || !isHeard()) return value
    const bytes = (JSON.stringify(value) ?? '').length * 2
    if (!memory.store(ticket, value, { bytes, goodUntil, eagerAt: Number.POSITIVE_INFINITY })) {
      counts.refused++
      events.emit('refused', { view: view.name })
    }
    return value
  }
}
