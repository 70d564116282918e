// Serves views from the memory of this process and keeps them true: an answer is stored only if nothing dropped it
// while it was loading, and memory is served only while drops are known to arrive. This is the memory level; a
// second level in Redis fits behind the same port.
import { type Clock, messageOf, SluiceError } from '../kernel/index.ts'
import type { Redis } from '../redis/index.ts'
import { type Drop, decodeDrops, dropOf, encodeDrops } from './drops.ts'
import { type CacheEmitter, cacheEmitter, type FlushReason } from './events.ts'
import { openListener } from './listener.ts'
import { type Memory, openMemory, type Ticket } from './memory.ts'
import { encodeKey, type View, type ViewKey } from './view.ts'

export interface CacheStats {
  /** Memory is being served. */
  readonly serving: boolean
  readonly entries: number
  readonly hits: number
  /** Callers that waited for a load another one had begun. */
  readonly joined: number
  readonly loads: number
  /** Loads made past the memory, because drops were not known to arrive. */
  readonly bypassed: number
  /** Answers not stored because they were dropped while loading. */
  readonly refused: number
  readonly dropped: number
  readonly flushes: number
}

export interface Views {
  readonly events: CacheEmitter
  /**
   * The answer from memory, or from `load`, called at most once at a time for each key in this process. An answer
   * read before a drop was heard is never served after it. What `load` throws goes to everyone who waited and is
   * not stored. Throws PAYLOAD_INVALID when the answer does not have the view's shape. Callers share the answer and
   * must not change it.
   */
  get<K extends ViewKey, V>(view: View<K, V>, key: K, load: () => Promise<V>): Promise<V>
  /** Drops one key, or every key of the view, here at once and everywhere else by message. */
  drop<K extends ViewKey>(view: View<K, unknown>, key?: K): Promise<void>
  stats(): CacheStats
  /** Stops listening and forgets everything; later calls of `get` go straight to their loader. */
  close(): Promise<void>
}

export interface ViewsOptions {
  /** Makes the subscriber connection at the first `get`; the cache owns and closes it. */
  readonly connect: () => Redis
  /** The channel of drops. */
  readonly channel: string
  /** Publishes a message on that channel. */
  readonly tell: (message: string) => Promise<void>
  readonly clock: Clock
  /** Answers kept in memory, all views together. Default 10,000. */
  readonly maxEntries?: number
  /** Pause between two proofs that drops arrive, ms. Default 500. */
  readonly heartbeatMs?: number
  /** Longest time memory is served after the last proof was asked for, ms. Default 1,500. */
  readonly proofMs?: number
}

export function openViews(options: ViewsOptions): Views {
  const { clock } = options
  const events = cacheEmitter()
  const memory = openMemory(options.maxEntries ?? 10_000)
  const count = { hits: 0, joined: 0, loads: 0, bypassed: 0, refused: 0, dropped: 0, flushes: 0 }
  const dropping = openDropping(memory, events, count)
  const listener = openListener({
    ...options,
    heartbeatMs: options.heartbeatMs ?? 500,
    proofMs: options.proofMs ?? 1_500,
    ...dropping,
  })
  const loader = openLoader(memory, clock, events, count)
  return {
    events,
    async get(view, key, load) {
      const place = encodeKey(view, key)
      listener.start()
      if (!listener.proven()) {
        count.bypassed++
        return loader.answer(view, load)
      }
      const found = memory.find(view.name, place, clock.monotonic())
      if (found) {
        count.hits++
        return found.value as never
      }
      const ticket = memory.underWay(view.name, place)
      if (ticket?.answer) {
        count.joined++
        return ticket.answer as never
      }
      return loader.fill(view, memory.begin(view.name, place), load)
    },
    async drop(view, key) {
      const drop = dropOf(view, key)
      dropping.forget(drop)
      await options.tell(encodeDrops([drop]))
    },
    stats: () => ({ serving: listener.proven(), entries: memory.size(), ...count }),
    async close() {
      await listener.close()
      dropping.flush('closed')
    },
  }
}

/** What is heard, and what follows for the memory. */
function openDropping(memory: Memory, events: CacheEmitter, count: { dropped: number; flushes: number }) {
  const flush = (reason: FlushReason) => {
    const entries = memory.flush()
    count.flushes++
    events.emit('flushed', { reason, entries })
  }
  const forget = ({ view, key }: Drop) => {
    const entries = memory.drop(view, key)
    count.dropped += entries
    events.emit('dropped', { view, entries })
  }
  return {
    flush,
    forget,
    onMessage: (text: string) => {
      const drops = decodeDrops(text)
      if (drops) drops.forEach(forget)
      else flush('malformed')
    },
    onConfirmed: () => {
      flush('connected')
      events.emit('serving', { serving: true })
    },
    onLost: () => {
      flush('disconnected')
      events.emit('serving', { serving: false })
    },
    onError: (reason: string) => void events.emit('disturbed', { reason }),
  }
}

type AnyShape<V> = Pick<View<ViewKey, V>, 'name' | 'shape' | 'lifetimeMs'>

function openLoader(
  memory: Memory,
  clock: Clock,
  events: CacheEmitter,
  count: { loads: number; refused: number },
) {
  async function answer<V>(view: AnyShape<V>, load: () => Promise<V>): Promise<V> {
    const beganAt = clock.monotonic()
    count.loads++
    try {
      const value = checked(view, await load())
      events.emit('loaded', { view: view.name, tookMs: clock.monotonic() - beganAt })
      return value
    } catch (error) {
      events.emit('failed', { view: view.name, reason: messageOf(error) })
      throw error
    }
  }
  async function store<V>(view: AnyShape<V>, ticket: Ticket, load: () => Promise<V>): Promise<V> {
    // From before the load: what was read cannot be older than this.
    const goodUntil = clock.monotonic() + view.lifetimeMs
    try {
      const value = await answer(view, load)
      if (!memory.store(ticket, value, goodUntil)) {
        count.refused++
        events.emit('refused', { view: view.name })
      }
      return value
    } finally {
      memory.end(ticket)
    }
  }
  function fill<V>(view: AnyShape<V>, ticket: Ticket, load: () => Promise<V>): Promise<V> {
    const answering = store(view, ticket, load)
    ticket.answer = answering
    return answering
  }
  return { answer, fill }
}

function checked<V>(view: AnyShape<V>, value: V): V {
  const parsed = view.shape.safeParse(value)
  if (parsed.success) return parsed.data
  const reason = parsed.error.issues.map((i) => `${i.path.join('.')}: ${i.message}`).join('; ')
  throw new SluiceError(
    'PAYLOAD_INVALID',
    `The answer of view ${view.name} does not have its shape: ${reason}.`,
    {
      view: view.name,
      reason,
    },
  )
}
