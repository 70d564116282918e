// One trial of a property: its streams, handles and subscribers, and the journal of what the handlers did. The three
// modes of a subscription (order key, order none, fold) look the same from here.
import { z } from 'zod'
import {
  defineStream,
  type Entry,
  type HandlerContext,
  type OpenBus,
  outgoing,
  type Stream,
} from '../../src/bus/index.ts'
import { eventually } from '../support/eventually.ts'
import {
  type Body,
  type Deed,
  disorderedOf,
  foreignOf,
  forgottenOf,
  type Letter,
  letter,
  lostOf,
  overlappingOf,
  repeatedOf,
  unsettledOf,
} from './bus-journal.ts'

export interface BusImplementation {
  /** A handle on the bus such as another process would have: nothing is shared but the server. */
  open(): OpenBus
  /** Ends the server without a word and starts it again from what it has stored. */
  restart(): Promise<void>
  close(): Promise<void>
}

/** Opens an implementation of its own; `mayRestart` when its server will be killed and started again. */
export type Start = (mayRestart: boolean) => Promise<BusImplementation>

export type Mode = 'key' | 'none' | 'fold'
export type Letters = Stream<Body>

export interface SubscribeOptions {
  readonly group?: string
  /** Default: a handle of its own. */
  readonly bus?: OpenBus
  readonly mode?: Mode
  /** What the handler does; throwing is a failure. A fold does not wait for a promise. */
  readonly act?: (one: Entry<Body>, context?: HandlerContext) => void | Promise<void>
  readonly retryMs?: readonly number[]
  readonly timeoutMs?: number
  /** A fold says each message again, to this stream. */
  readonly says?: Letters
}

export interface Subscriber {
  /** Take no more. */
  cancel(): void
  /** Cancels and waits until what was held is done. */
  stop(): Promise<void>
}

export interface Claims {
  readonly groups?: readonly string[]
  readonly mode?: Mode
  /** A server that restarts, or a fold that makes its state again: repetitions are allowed. */
  readonly disturbed?: boolean
  /** Messages that were given up on purpose. */
  readonly dead?: readonly Letter[]
}

export interface Trial {
  readonly mode: Mode
  readonly deeds: readonly Deed[]
  open(): OpenBus
  restart(): Promise<void>
  stream(partitions?: number): Letters
  /** Resolves when the messages are confirmed. */
  publish(bus: OpenBus, stream: Letters, letters: readonly Letter[]): Promise<void>
  subscribe(stream: Letters, options?: SubscribeOptions): Subscriber
  /** Messages of the group that were done, each counted once. */
  done(stream: Letters, group?: string): number
  /** Resolves when the bus says that nothing is left to do for the group. */
  settled(stream: Letters, sent: readonly Letter[], group?: string): Promise<void>
  /** What is wrong. */
  faults(stream: Letters, sent: readonly Letter[], claims?: Claims): Promise<string[]>
  end(): Promise<void>
}

let names = 0

export function openTrial(implementation: BusImplementation, mode: Mode): Trial {
  const deeds: Deed[] = []
  const handles: OpenBus[] = []
  const subscribers: Subscriber[] = []
  const lost = new Set<string>()
  const done = new Map<string, Set<string>>()
  const wasLost = ({ stream, partition, group }: Deed) => lost.has(`${stream}/${partition}/${group}`)

  const note = (deed: Deed) => {
    deeds.push(deed)
    if (deed.what !== 'done') return
    const ids = done.get(`${deed.stream} ${deed.group}`) ?? new Set()
    done.set(`${deed.stream} ${deed.group}`, ids.add(deed.id))
  }
  const open = () => {
    const bus = implementation.open()
    bus.events.on('fenced', ({ stream, partition, group }) => lost.add(`${stream}/${partition}/${group}`))
    handles.push(bus)
    return bus
  }
  const doneOf = (stream: string, group: string) => done.get(`${stream} ${group}`)?.size ?? 0

  const trial: Trial = {
    ...{ mode, deeds, open },
    restart: () => implementation.restart(),
    stream: (partitions = 4) =>
      defineStream({
        ...{ name: `letters${process.pid}x${names++}`, about: 'numbers of a key', partitions },
        shape: z.object({ key: z.string(), n: z.number().int(), text: z.string() }),
        key: (data) => data.key,
      }),
    async publish(bus, stream, letters) {
      await bus.publish(letters.map(({ id, key, n, text }) => outgoing(stream, id, { key, n, text })))
    },
    subscribe(stream, options = {}) {
      const task = taskOf(
        stream,
        { mode, bus: options.bus ?? open(), ...options },
        `s${subscribers.length}`,
        note,
      )
      const controller = new AbortController()
      const ended = task(controller.signal)
      let over = false
      ended
        .catch(() => {})
        .finally(() => {
          over = true
        })
      const subscriber = {
        cancel: () => controller.abort(),
        async stop() {
          controller.abort()
          // One that never ends says so, instead of leaving it to the time of the test.
          await eventually(() => over, { what: `the end of a subscriber (${mode}) after its close` })
          await ended
        },
      }
      subscribers.push(subscriber)
      return subscriber
    },
    done: (stream, group = 'g') => doneOf(stream.name, group),
    async settled(stream, sent, group = 'g') {
      const bus = handles.at(-1)!
      let looks = 0
      await eventually(
        async () => {
          // A message that is lost never comes: when the bus is through, waiting is over, and the checker says which.
          const mayBe = doneOf(stream.name, group) >= sent.length || ++looks % 25 === 0
          return mayBe && (await isThrough(bus, stream, group))
        },
        { what: `${sent.length} messages for ${group}`, timeoutMs: 40_000 },
      )
    },
    async faults(stream, sent, claims = {}) {
      const { groups = ['g'], disturbed = false, dead = [] } = claims
      const by = claims.mode ?? mode
      const here = deeds.filter((deed) => deed.stream === stream.name && groups.includes(deed.group))
      const alive = sent.filter((one) => !dead.includes(one))
      const ordered = [
        ...disorderedOf(here),
        ...(disturbed ? [] : overlappingOf(here, wasLost)),
        ...forgottenOf(here),
      ]
      return [
        ...groups.flatMap((group) => lostOf(alive, here, group)),
        ...foreignOf(sent, here),
        ...(disturbed ? [] : repeatedOf(here, wasLost)),
        ...(by === 'none' ? [] : ordered),
        ...unsettledOf(sent, await open().status(stream as Stream<unknown>), dead.length),
      ]
    },
    async end() {
      await Promise.all(subscribers.map((subscriber) => subscriber.stop()))
      await Promise.all(handles.map((bus) => bus.close()))
    },
  }
  return trial
}

type TaskOptions = SubscribeOptions & { readonly bus: OpenBus; readonly mode: Mode }

/** The subscription's task in its mode, noting each message as it begins and ends. */
function taskOf(stream: Letters, options: TaskOptions, by: string, note: (deed: Deed) => void) {
  const { group = 'g', bus, mode, act, retryMs, timeoutMs, says } = options
  const deedOf = (entry: Entry<Body>, before?: number) => {
    const { key, n, text } = entry.data
    const at = { stream: stream.name, id: entry.id, key, n, text, group, by, partition: entry.partition }
    return (what: Deed['what']) =>
      note({ ...at, what, attempt: entry.attempt, ...(before === undefined ? {} : { before }) })
  }
  if (mode === 'fold') {
    return bus.fold<Body, Record<string, number>>({
      ...{ stream, group, start: () => ({}), save: JSON.stringify, load: (saved) => JSON.parse(saved) },
      apply(state, entry) {
        const deed = deedOf(entry, state[entry.data.key] ?? -1)
        deed('begun')
        try {
          void act?.(entry)
        } catch (error) {
          deed('failed')
          throw error
        }
        state[entry.data.key] = entry.data.n
        deed('done')
        return { events: says ? [outgoing(says, `said ${entry.id}`, entry.data)] : [] }
      },
    })
  }
  return bus.consume({
    ...{ stream, group, order: mode },
    ...(retryMs === undefined ? {} : { retryMs }),
    ...(timeoutMs === undefined ? {} : { timeoutMs }),
    async handle(entry, context) {
      const deed = deedOf(entry)
      deed('begun')
      try {
        await act?.(entry, context)
      } catch (error) {
        deed('failed')
        throw error
      }
      deed('done')
    },
  })
}

async function isThrough(bus: OpenBus, stream: Letters, group: string): Promise<boolean> {
  const { partitions } = await bus.status(stream as Stream<unknown>)
  return partitions.every(({ lastSequence, groups }) => {
    const mine = groups.find((one) => one.group === group)
    return mine ? mine.pending === 0 && mine.lag === 0 : lastSequence === 0
  })
}

/** `each` messages of each key, key by key in turns. */
export const lettersOf = (stream: Letters, keys: number, each: number): Letter[] =>
  Array.from({ length: keys * each }, (_, i) => letter(stream.name, `k${i % keys}`, Math.floor(i / keys)))

/** Throws what is wrong, the first few of it. */
export function demand(faults: readonly string[]): void {
  if (faults.length > 0) throw new Error([...faults.slice(0, 5), `${faults.length} faults`].join('\n'))
}
