// The port: what a context may ask of the bus. The comments are the guarantees; test/bus holds each of them.
import type { Clock, Task } from '../kernel/index.ts'
import type { BusEmitter } from './events.ts'
import type { Stream } from './stream.ts'

/** An event on its way out. */
export interface Outgoing<T = unknown> {
  readonly stream: Stream<T>
  /** The same id is stored once, however often it is published within the stream's `dedupeMs`. */
  readonly id: string
  readonly data: T
  /** Default: the stream's name. */
  readonly type?: string
  /** When it happened, ms UTC. Default: when Redis stored it. */
  readonly time?: number
  readonly traceparent?: string
}

/** An event of one stream, checked against its type. */
export const outgoing = <T>(
  stream: Stream<T>,
  id: string,
  data: T,
  more: Pick<Outgoing, 'type' | 'time' | 'traceparent'> = {},
): Outgoing => ({ stream: stream as Stream<unknown>, id, data, ...more })

/** What the stream did with a published event. */
export interface Receipt {
  readonly partition: number
  /** The Redis id; for a duplicate the empty string. */
  readonly entry: string
  readonly duplicate: boolean
}

/** An event as a consumer receives it; `data` has the stream's shape. Field names follow CloudEvents 1.0. */
export interface Entry<T = unknown> {
  readonly id: string
  readonly type: string
  readonly source: string
  /** When it happened, ms UTC: as the publisher said, else when Redis stored it. */
  readonly time: number
  readonly key: string
  /** Counts the partition's entries from 1 without holes. */
  readonly sequence: number
  readonly traceparent: string | undefined
  readonly data: T
  readonly stream: string
  readonly partition: number
  /** The Redis id. */
  readonly entry: string
  /** 1 at the first delivery. */
  readonly attempt: number
}

/** Who owns a partition for a group: whoever comes later has a higher epoch. */
export interface Ownership {
  /** stream/partition/group */
  readonly resource: string
  readonly epoch: number
  readonly owner: string
}

export interface HandlerContext {
  /** Aborts when the partition is lost, the bus is closed or the handler's time is up; a handler may finish while the worker drains. */
  readonly signal: AbortSignal
  /** The handler is still at work: its `timeoutMs` begins anew. */
  progress(): void
  /** Order `key` only. `checkOwnership` makes a database refuse the effect of a former owner. */
  readonly ownership: Ownership | undefined
  /**
   * Publishes what follows from the entry. Order `key`: rejects with OWNERSHIP_LOST when a later owner of the
   * partition has published to the same place.
   */
  publish(events: readonly Outgoing[]): Promise<Receipt[]>
}

export interface ConsumeOptions<T> {
  readonly stream: Stream<T>
  readonly group: string
  /**
   * Resolve: acknowledged. Throw: tried again after the next of `retryMs`, then dead-lettered. Throw `Reject`:
   * dead-lettered at once. Throw `RetryAfter`: tried again after that time without counting the attempt.
   */
  readonly handle: (entry: Entry<T>, context: HandlerContext) => Promise<void>
  /**
   * `key`: each partition has one owner at a time and no entry of a key is handled before the one in front of it
   * is done or dead-lettered. `none`: any consumer of the group takes any entry.
   */
  readonly order: 'key' | 'none'
  /** Entries (order none) or keys (order key) handled at once. Default 16. */
  readonly concurrency?: number
  /** Pauses before each further attempt, ms; attempts = length + 1. Default 100, 1,000, 5,000, 15,000. */
  readonly retryMs?: readonly number[]
  /**
   * An entry that was begun this often without an end, because its consumer died each time, is dead-lettered.
   * Default 5. Infinity where skipping is worse than standing still: a deadly entry then holds back its key.
   */
  readonly crashesMax?: number
  /** An entry that a silent consumer held for this long goes to another, ms. */
  readonly visibilityMs?: number
  /** A handler that runs longer is aborted and counts as failed, ms. Default 60,000. */
  readonly timeoutMs?: number
  /** Where a new group begins. Default `start`. */
  readonly from?: 'start' | 'end'
}

/**
 * A fold reads a partition in order, keeps a state, and says things that follow from both. The state is checkpointed
 * about once a second by the script that acknowledges, and outputs carry ids derived from their cause: after a crash
 * the next owner applies again what came after the checkpoint and repeats only outputs that the bus recognises.
 */
export interface FoldOptions<T, S> {
  readonly stream: Stream<T>
  readonly group: string
  readonly start: () => S
  /** Pure: the same state and entry give the same state and outputs. May change `state` in place. */
  readonly apply: (state: S, entry: Entry<T>) => FoldOutput
  /** What must survive; JSON. `load(save(s))` continues like s. */
  readonly save: (state: S) => string
  readonly load: (saved: string) => S
  /**
   * Resolves when what `apply` has begun outside of the state is durable; entries are acknowledged after it, in
   * batches. Such work may be repeated and must bear it. A rejection ends the task. The signal aborts when the
   * partition is lost or the task ends: what fails then is not tried again here, and comes to the next owner.
   */
  readonly settle?: (state: S, signal: AbortSignal) => Promise<void>
  readonly from?: 'start' | 'end'
}

export interface FoldOutput {
  readonly events: readonly Outgoing[]
  /** Messages on channels: may be lost. */
  readonly tell?: readonly { channel: string; message: string }[]
}

/** Where a group stands in one partition. */
export interface GroupStatus {
  readonly group: string
  /** Entries delivered and not acknowledged. */
  readonly pending: number
  /** Last sequence − last sequence that everything up to is acknowledged. */
  readonly lag: number
  /** Age of the oldest entry that is not acknowledged, ms; 0 without one. */
  readonly oldestMs: number
  readonly owner: string | undefined
  readonly epoch: number
  /** The whole group takes nothing until it is resumed. */
  readonly paused: boolean
}

/** Where a group is to read on, in every partition: from an entry on, or from what Redis stored at a time on. */
export type SeekTarget = { readonly entry: string } | { readonly time: number } | 'start' | 'end'

/** What seeking means for one partition. */
export interface SeekPlace {
  readonly partition: number
  /** The first entry that is read again; the empty string when it goes on with what comes next. */
  readonly entry: string
  /** Entries that are there from it on. */
  readonly count: number
  /** Entries in front of it that the group has not acknowledged, and will not be given any more. */
  readonly skipped: number
}

export interface DeadLetterQuery {
  /** Of this group only. */
  readonly group?: string | undefined
  /** Only what was given up before this one (a `DeadLetter.entry`): the last of one page asks for the next. */
  readonly before?: string | undefined
}

export interface PartitionStatus {
  readonly partition: number
  readonly length: number
  /** Entries ever published here. */
  readonly lastSequence: number
  readonly groups: readonly GroupStatus[]
}

export interface StreamStatus {
  readonly stream: string
  readonly partitions: readonly PartitionStatus[]
  readonly deadLetters: number
  /** Living members of each group. */
  readonly members: Readonly<Record<string, readonly string[]>>
}

/** An entry that no attempt could handle. */
export interface DeadLetter {
  /** partition/id in the dead-letter stream of that partition. */
  readonly entry: string
  readonly stream: string
  readonly partition: number
  readonly group: string
  readonly originEntry: string
  readonly eventId: string
  readonly key: string
  readonly attempts: number
  readonly reason: string
  readonly stack: string
  /** When it was given up, ms UTC. */
  readonly time: number
  /** The payload as text, as it was published. */
  readonly data: string
}

export interface Bus {
  readonly clock: Clock
  readonly events: BusEmitter
  /**
   * Resolves when Redis has stored every event and, for a durable stream, when as many replicas as are configured
   * have confirmed it. Rejects
   * with OVERLOADED, PAYLOAD_INVALID, PAYLOAD_TOO_LARGE or REDIS_UNAVAILABLE; publishing again is always safe.
   * Events of one key keep their order.
   */
  publish(events: readonly Outgoing[]): Promise<Receipt[]>
  /** At least once, in batches; what a dead or paused consumer held is taken over. */
  consume<T>(options: ConsumeOptions<T>): Task
  fold<T, S>(options: FoldOptions<T, S>): Task
  /** Entries of one partition from an entry on (exclusive), for reading back. Invalid ones are left out. */
  readBack<T>(stream: Stream<T>, partition: number, after: string, count: number): Promise<Entry<T>[]>
  status(stream: Stream<unknown>): Promise<StreamStatus>
  /** Newest first. */
  deadLetters(stream: Stream<unknown>, limit: number, query?: DeadLetterQuery): Promise<DeadLetter[]>
  deadLetter(stream: Stream<unknown>, entry: string): Promise<DeadLetter | undefined>
  /**
   * Gives a dead letter to its group again (with the payload `data` when it is given) and removes it; false when it is
   * not there. Rejects with PAYLOAD_INVALID for what does not have the stream's shape or would change the key.
   */
  replayDeadLetter(stream: Stream<unknown>, entry: string, data?: string): Promise<boolean>
  dropDeadLetter(stream: Stream<unknown>, entry: string): Promise<boolean>
  /**
   * The group takes nothing more, in every process within a second and across restarts, until it is resumed. What its
   * consumers hold they finish; they keep their leases, lag grows, trimming waits. False when it was so already.
   * Rejects with GROUP_UNKNOWN.
   */
  pauseGroup(stream: Stream<unknown>, group: string): Promise<boolean>
  resumeGroup(stream: Stream<unknown>, group: string): Promise<boolean>
  /**
   * The group reads on from a place, also while its consumers run: whatever they hold counts as acknowledged, a fold
   * begins with its start state. Nothing is deleted. Effects in an inbox are recognised, others happen again. Safe to
   * repeat. Rejects with GROUP_UNKNOWN.
   */
  seekGroup(stream: Stream<unknown>, group: string, to: SeekTarget): Promise<SeekPlace[]>
  /** What `seekGroup` would do; changes nothing. */
  previewSeek(stream: Stream<unknown>, group: string, to: SeekTarget): Promise<SeekPlace[]>
  /**
   * Forgets a group and where it stands, so that trimming waits for it no longer; what it has not handled it never
   * will. Its dead letters stay. Rejects with GROUP_UNKNOWN, and with GROUP_IN_USE while somebody reads for it.
   */
  removeGroup(stream: Stream<unknown>, group: string): Promise<void>
  /** Removes what every group has acknowledged and what is older than the retention; returns how many. */
  trim(stream: Stream<unknown>): Promise<number>
  /** At most once. */
  tell(channel: string, message: string): Promise<void>
  /** Listens to channels by pattern; `onReady` is called after each (re)subscription is confirmed. */
  listen(patterns: readonly string[], onMessage: ChannelListener, onReady?: () => void): Task
}

export type ChannelListener = (channel: string, message: string) => void

/** Thrown by a handler: no attempt will ever succeed. */
export class Reject extends Error {
  override readonly name = 'Reject'
}

/** Thrown by a handler: not now. The attempt does not count. */
export class RetryAfter extends Error {
  override readonly name = 'RetryAfter'
  readonly delayMs: number
  constructor(delayMs: number, reason: string) {
    super(reason)
    this.delayMs = delayMs
  }
}
