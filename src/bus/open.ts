// Puts the bus together.
import { type Clock, processId, SluiceError, type Task } from '../kernel/index.ts'
import type { Bus, Entry } from './bus.ts'
import { listen, tell } from './channels.ts'
import { checkOptions } from './check-options.ts'
import { decodeEntry, type RawEntry } from './codec.ts'
import { consumeOrdered } from './consume-ordered.ts'
import { consumeShared } from './consume-shared.ts'
import { dropDeadLetter, findDeadLetter, listDeadLetters, replayDeadLetter } from './dead-letters.ts'
import { busEmitter } from './events.ts'
import { fold } from './fold.ts'
import { pauseGroup, previewSeek, resumeGroup, seekGroup } from './group-control.ts'
import { openLink } from './link.ts'
import { type Publish, publish } from './publish.ts'
import { removeGroup } from './remove-group.ts'
import { statusOf } from './status.ts'
import { partitionKeys, type Stream } from './stream.ts'
import { trimStream } from './trim.ts'

export interface BusOptions {
  readonly url: string
  readonly clock: Clock
  /** Life of a partition lease without renewal, ms. Default 5,000. */
  readonly leaseMs?: number
  /** Default of `ConsumeOptions.visibilityMs`: 30,000. */
  readonly visibilityMs?: number
  /** Replicas that must confirm what goes to durable streams. Default 0. */
  readonly replicas?: number
}

export interface OpenBus extends Bus {
  /**
   * Ends what still runs: signals of handlers abort, and their entries stay for the next consumer without an attempt
   * counted. To let handlers finish, abort the tasks' own signals and await them first.
   */
  close(): Promise<void>
}

export function openBus({
  url,
  clock,
  leaseMs = 5_000,
  visibilityMs = 30_000,
  replicas = 0,
}: BusOptions): OpenBus {
  const events = busEmitter()
  const closing = new AbortController()
  const link = openLink({ url, clock, events, source: processId, closing: closing.signal })
  const running = new Set<Promise<void>>()
  const untilClosed = endingWith(closing.signal, running)
  const publishing = { replicas, replicaTimeoutMs: 1_000 }
  const send: Publish = (outgoing, by) => publish(link, publishing, outgoing, by)
  const bus: OpenBus = {
    clock,
    events,
    publish: (outgoing) => send(outgoing),
    consume(options) {
      checkOptions(options)
      return untilClosed(
        options.order === 'key'
          ? consumeOrdered(link, send, options, leaseMs)
          : consumeShared(link, send, options, options.visibilityMs ?? visibilityMs),
      )
    },
    fold: (options) => untilClosed(fold(link, send, options, leaseMs)),
    async readBack<T>(
      stream: Stream<T>,
      partition: number,
      after: string,
      count: number,
    ): Promise<Entry<T>[]> {
      const key = partitionKeys(stream.name, partition).entries
      const raws = (await (await link.writer()).xrange(key, `(${after}`, '+', 'COUNT', count)) as RawEntry[]
      const decoded = raws.map((raw) => decodeEntry(stream, partition, raw, 0))
      return decoded.flatMap((one) => (one.ok ? [one.entry] : []))
    },
    status: (stream) => statusOf(link, stream, leaseMs),
    deadLetters: (stream, limit, query) => listDeadLetters(link, stream, limit, query),
    deadLetter: (stream, entry) => findDeadLetter(link, stream, entry),
    replayDeadLetter: (stream, entry, data) => replayDeadLetter(link, stream, entry, data),
    dropDeadLetter: (stream, entry) => dropDeadLetter(link, stream, entry),
    pauseGroup: (stream, group) => pauseGroup(link, stream, group),
    resumeGroup: (stream, group) => resumeGroup(link, stream, group),
    seekGroup: (stream, group, to) => seekGroup(link, stream, group, to),
    previewSeek: (stream, group, to) => previewSeek(link, stream, group, to),
    removeGroup: (stream, group) => removeGroup(link, stream, group, leaseMs),
    trim: (stream) => trimStream(link, stream),
    tell: (channel, message) => tell(link, channel, message),
    listen: (patterns, onMessage, onReady) => untilClosed(listen(link, patterns, onMessage, onReady)),
    async close() {
      closing.abort(new SluiceError('REDIS_UNAVAILABLE', 'The bus is closed.'))
      await Promise.allSettled(running)
      await link.close()
    },
  }
  return bus
}

/** Makes tasks end with the bus as well as with their own signal; `running` holds those that have not. */
const endingWith =
  (closing: AbortSignal, running: Set<Promise<void>>) =>
  (task: Task): Task =>
  async (signal) => {
    const ended = task(AbortSignal.any([signal, closing]))
    running.add(ended)
    await ended.finally(() => running.delete(ended))
  }
