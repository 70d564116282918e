// One answer that memory does not have: from Redis, or from its loader under a lease that only one caller in all
// processes holds, or, while Redis is away, from its loader with nothing but the bulkhead in front.
import { type Clock, isSluiceError, messageOf, SluiceError } from '../kernel/index.ts'
import type { Bulkhead } from './bulkhead.ts'
import type { Counts } from './counts.ts'
import { placeOf } from './drops.ts'
import { isAway } from './epochs.ts'
import type { CacheEmitter } from './events.ts'
import type { Failures } from './failures.ts'
import type { Memory, Ticket } from './memory.ts'
import type { Held, Leased, Remote, Spot } from './remote.ts'
import type { View, ViewKey } from './view.ts'

export interface AnswerOptions {
  readonly memory: Memory
  readonly remote: Remote
  readonly bulkhead: Bulkhead
  readonly failures: Failures
  readonly clock: Clock
  readonly events: CacheEmitter
  readonly counts: Counts
  /** How long nobody tries again after a load has failed, ms. */
  readonly throttleMs: number
}

/** What is asked. */
export interface Question<K extends ViewKey, V> {
  readonly view: View<K, V>
  readonly key: K
  readonly load: () => Promise<V>
}

// Waiting for the holder of a lease: first looks soon, for loads of a few ms.
const WAIT_FIRST_MS = 3
const WAIT_MAX_MS = 50
/** In this last part of its lifetime an answer that is asked for is loaded again before it ends. */
const EAGER_PART = 0.1

type Lease = Leased & { kind: 'lease' }

export interface Answers {
  /** @param isHeard whether drops are known to arrive. */
  answer<K extends ViewKey, V>(question: Question<K, V>, ticket: Ticket, isHeard: () => boolean): Promise<V>
  /** Loads an answer again that will soon end, unless somebody does already. Never rejects. */
  renew<K extends ViewKey, V>(question: Question<K, V>): Promise<void>
}

export function openAnswers(options: AnswerOptions): Answers {
  const { memory, remote, clock, events, counts } = options
  const loading = openLoading(options)
  const direct = openDirect(options, loading.load)
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
    for (let pauseMs = WAIT_FIRST_MS; ; pauseMs = Math.min(pauseMs * 2, WAIT_MAX_MS)) {
      // A plain read knows no epoch, and only who hears drops is told of another: the script of the lease compares it.
      const held = isHeard() ? await remote.read(spot) : undefined
      const read = held && readText<V>(held.text)
      if (held && read && held.freshMs > 0) return hit(held, read.value)
      // What is there and cannot be read is loaded anew, however long it would be fresh.
      const leased = await remote.lease(spot, held && !read ? Number.MAX_SAFE_INTEGER : 0)
      if (leased.kind === 'fresh') {
        const stored = readText<V>(leased.held.text)
        if (stored) return hit(leased.held, stored.value)
        continue
      }
      const old = leased.old === undefined ? undefined : readText<V>(leased.old)
      if (leased.kind === 'lease') {
        if (!old) {
          const { value, filled } = await loading.fill(question, spot, leased)
          if (filled) keep(question, ticket, filled, value)
          return value
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
    async renew(question) {
      const { view, key } = question
      if (view.level === 'memory') return
      const spot = spotOf(view, key)
      const eagerMs = Math.ceil(EAGER_PART * lifetimeOf(view, key, clock.now()))
      try {
        const leased = await remote.lease(spot, eagerMs)
        if (leased.kind === 'lease') await loading.refresh(question, spot, leased)
      } catch (error) {
        events.emit('disturbed', { reason: messageOf(error) })
      }
    },
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
function openDirect({ memory, failures, clock, events, counts }: AnswerOptions, load: Loading['load']) {
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
      value = await load(question)
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

type Loading = ReturnType<typeof openLoading>

/** Calls loaders: bounded, checked, counted; under a lease, what comes of it is told to everybody. */
function openLoading({ remote, bulkhead, clock, events, counts, throttleMs }: AnswerOptions) {
  async function load<K extends ViewKey, V>({ view, load }: Question<K, V>): Promise<V> {
    const began = clock.monotonic()
    counts.loads++
    try {
      const value = checked(view, await bulkhead.run(load))
      events.emit('loaded', { view: view.name, tookMs: clock.monotonic() - began })
      return value
    } catch (error) {
      events.emit('failed', { view: view.name, reason: messageOf(error) })
      throw error
    }
  }
  /** Loads under the lease and stores; answers what was loaded, whether or not it could be stored. */
  async function fill<K extends ViewKey, V>(
    question: Question<K, V>,
    spot: Spot,
    lease: Lease,
  ): Promise<{ value: V; filled: Held | undefined }> {
    const { view, key } = question
    let value: V
    let text: string
    try {
      value = await load(question)
      text = value === undefined ? '' : JSON.stringify(value)
    } catch (error) {
      // Without it the others wait until the lease has run out.
      await remote.fail(spot, lease, errorText(error), throttleMs).catch(() => {})
      throw error
    }
    const softMs = lifetimeOf(view, key, clock.now())
    try {
      const freshMs = await remote.fill(spot, lease, text, softMs, softMs + (view.graceMs ?? 0))
      if (freshMs !== undefined) return { value, filled: { text, freshMs } }
    } catch (error) {
      events.emit('disturbed', { reason: messageOf(error) })
    }
    counts.refused++
    events.emit('refused', { view: view.name })
    return { value, filled: undefined }
  }
  return {
    load,
    fill,
    /** Stored in Redis only. Never rejects: `failed` has told, and the lease keeps the failure for the others. */
    async refresh<K extends ViewKey, V>(question: Question<K, V>, spot: Spot, lease: Lease): Promise<void> {
      counts.refreshed++
      await fill(question, spot, lease).catch(() => {})
    },
  }
}

function checked<K extends ViewKey, V>(view: View<K, V>, value: V): V {
  const parsed = view.shape.safeParse(value)
  if (parsed.success) return parsed.data
  const reason = parsed.error.issues.map((i) => `${i.path.join('.')}: ${i.message}`).join('; ')
  const message = `The answer of view ${view.name} does not have its shape: ${reason}.`
  throw new SluiceError('PAYLOAD_INVALID', message, { view: view.name, reason })
}

const spotOf = <K extends ViewKey>(view: View<K, unknown>, key: K): Spot => ({
  place: placeOf(view, key),
  version: view.version ?? 1,
  tags: view.tags?.(key) ?? [],
})

/** Shorter by up to a tenth, which the key decides, so that what was stored together does not end together. */
function lifetimeOf<K extends ViewKey>(view: View<K, unknown>, key: K, now: number): number {
  const ms = typeof view.lifetimeMs === 'number' ? view.lifetimeMs : view.lifetimeMs(key, now)
  let mixed = 0
  for (const letter of placeOf(view, key)) mixed = (mixed * 31 + letter.charCodeAt(0)) % 1_000
  return Math.ceil(ms * (1 - mixed / 10_000))
}

/** Undefined for what somebody else has written there. */
function readText<V>(text: string): { readonly value: V } | undefined {
  if (text === '') return { value: undefined as V }
  try {
    return { value: JSON.parse(text) as V }
  } catch {
    return undefined
  }
}

const errorText = (error: unknown) =>
  JSON.stringify({ code: isSluiceError(error) ? error.code : 'CACHE_LOAD_FAILED', message: messageOf(error) })

/** The failure of a load in another process. */
function errorOf(text: string): SluiceError {
  const read = readText<{ code: SluiceError['code']; message: string }>(text)?.value
  return new SluiceError(read?.code ?? 'CACHE_LOAD_FAILED', read?.message ?? text)
}
