// Buses that break one promise each, to show that the suite finds them.
import {
  type ConsumeOptions,
  type Entry,
  type FoldOptions,
  type HandlerContext,
  type OpenBus,
  outgoing,
} from '../../src/bus/index.ts'
import { SluiceError, systemClock } from '../../src/kernel/index.ts'
import type { Body } from './bus-journal.ts'
import type { BusImplementation } from './bus-trial.ts'

type Spoil = (bus: OpenBus) => OpenBus
type Handle = (entry?: Entry<Body>, context?: HandlerContext) => Promise<void>
type Around = (entry: Entry<Body>, context: HandlerContext, handle: Handle) => Promise<void>

export const spoiled = (implementation: BusImplementation, spoil: Spoil): BusImplementation => ({
  ...implementation,
  open: () => spoil(implementation.open()),
})

/** Changes what the bus does around each handler. */
const handling =
  (around: Around, more: Partial<ConsumeOptions<Body>> = {}): Spoil =>
  (bus) => ({
    ...bus,
    consume<T>(options: ConsumeOptions<T>) {
      const handle = options.handle as unknown as ConsumeOptions<Body>['handle']
      const spoiledHandle: ConsumeOptions<Body>['handle'] = (entry, context) =>
        around(entry, context, (e = entry, c = context) => handle(e, c))
      return bus.consume({ ...(options as unknown as ConsumeOptions<Body>), ...more, handle: spoiledHandle })
    },
  })

const folding =
  (change: (options: FoldOptions<Body, unknown>) => Partial<FoldOptions<Body, unknown>>): Spoil =>
  (bus) => ({
    ...bus,
    fold<T, S>(options: FoldOptions<T, S>) {
      const plain = options as unknown as FoldOptions<Body, unknown>
      return bus.fold({ ...plain, ...change(plain) })
    },
  })

const VICTIM = /^[kp]1\/3$/
const nothing = { events: [] }

export const drops = handling(async ({ id }, _, handle) => (VICTIM.test(id) ? undefined : handle()))

export const foldDrops = folding(({ apply }) => ({
  apply: (state, entry) => (VICTIM.test(entry.id) ? nothing : apply(state, entry)),
}))

export const foldForgets = folding(({ start }) => ({ load: start }))

export const foldSwallows = folding(({ apply }) => ({
  apply(state, entry) {
    try {
      return apply(state, entry)
    } catch {
      return nothing
    }
  },
}))

export const repeats = handling(async ({ id }, _, handle) => {
  await handle()
  if (VICTIM.test(id)) await handle()
})

/** Holds back every fourth message of a key until the next one was handled. */
export const reorders = (): Spoil => {
  const heldBack = new Map<string, Handle>()
  return handling(async ({ data: { key, n } }, _, handle) => {
    if (n % 4 === 1) {
      heldBack.set(key, handle)
      return
    }
    await handle()
    await heldBack.get(key)?.()
    heldBack.delete(key)
  })
}

/** Gives a message the payload of the first one with the same id, whichever topic that was sent to. */
export const crossesTopics = (): Spoil => {
  const bodies = new Map<string, Body>()
  return handling((entry, _, handle) => {
    const data = bodies.get(entry.id) ?? entry.data
    bodies.set(entry.id, data)
    return handle({ ...entry, data })
  })
}

/** What one group has had, no other gets. */
export const sharesGroups = (): Spoil => {
  const seen = new Set<string>()
  return handling(async ({ id }, _, handle) => {
    if (seen.has(id)) return
    seen.add(id)
    await handle()
  })
}

export const acknowledgesEarly = handling(async (_, __, handle) => void handle().catch(() => {}))

export const swallowsErrors = handling((_, __, handle) => handle().catch(() => {}))

export const countsNoAttempts = handling((entry, _, handle) => handle({ ...entry, attempt: 1 }))

export const neverAborts = handling((entry, context, handle) =>
  handle(entry, { ...context, signal: new AbortController().signal }),
)

export const abortsDrains: Spoil = (bus) => ({
  ...bus,
  consume: (options) => (signal) =>
    bus.consume({
      ...options,
      handle: (entry, context) => options.handle(entry, { ...context, signal }),
    })(signal),
})

export const beginsAtEnd = handling((_, __, handle) => handle(), { from: 'end' })

/** Acknowledges what it had taken and not begun when it is closed. */
export const losesOnClose: Spoil = (bus) => ({
  ...bus,
  consume: (options) => (signal) =>
    bus.consume({
      ...options,
      async handle(entry, context) {
        await new Promise((resolve) => setImmediate(resolve))
        if (!signal.aborted) await options.handle(entry, context)
      },
    })(signal),
})

/** Confirms before anything is stored, and forgets it when it is closed. */
export const confirmsEarly: Spoil = (bus) => {
  let isClosed = false
  return {
    ...bus,
    async publish(events) {
      const later = systemClock.sleep(20).then(() => (isClosed ? [] : bus.publish(events)))
      later.catch(() => {})
      return events.map(() => ({ partition: 0, entry: '', duplicate: false }))
    },
    close() {
      isClosed = true
      return bus.close()
    },
  }
}

/** Every fourth answer is lost on the way, and what is published again gets another id. */
export const resendsWithoutId = (): Spoil => {
  const lost = new Set<string>()
  return (bus) => ({
    ...bus,
    async publish(events) {
      const [first] = events
      if (first && lost.has(first.id)) {
        return bus.publish(events.map((one) => outgoing(one.stream, `${one.id} again`, one.data)))
      }
      const receipts = await bus.publish(events)
      if (!first?.id.endsWith('/0')) return receipts
      lost.add(first.id)
      throw new SluiceError('REDIS_UNAVAILABLE', 'The answer was lost.', {})
    },
  })
}

/** Recognises nothing that it has stored: a further publication gets an id of its own. */
export const storesTwice = (): Spoil => {
  const stored = new Set<string>()
  return (bus) => ({
    ...bus,
    async publish(events) {
      const receipts = await bus.publish(
        events.map((one) => (stored.has(one.id) ? outgoing(one.stream, `${one.id} again`, one.data) : one)),
      )
      for (const { id } of events) stored.add(id)
      return receipts
    },
  })
}
