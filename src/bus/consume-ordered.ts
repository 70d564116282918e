// Order by key: the owner of a partition handles each key's entries one after the other and different keys side by
// side. An entry that waits for its next attempt holds back its own key only.
import type { Task } from '../kernel/index.ts'
import { runScript } from '../redis/index.ts'
import { type Acknowledger, openAcknowledger } from './acknowledge.ts'
import { type Attempts, attempt } from './attempts.ts'
import type { ConsumeOptions } from './bus.ts'
import { type Decoded, decodeEntry, sequenceOf, sizeOf } from './codec.ts'
import { type Burial, bury } from './dead-letters.ts'
import { type GapDetector, openGapDetector } from './gaps.ts'
import { openHandlers } from './handlers.ts'
import { openHold, openSlots, type Slots } from './lanes.ts'
import type { Owned } from './lease.ts'
import { insist, isFenced, type Link, unlessAborted } from './link.ts'
import { ownPartitions } from './ownership.ts'
import { type Delivered, openPartitionReader } from './partition-reader.ts'
import { pausable } from './pause.ts'
import type { Publish } from './publish.ts'
import { ACKNOWLEDGE, NOTE_BEGUN } from './scripts.ts'
import { partitionKeys } from './stream.ts'
import { openTally, type Tally } from './tally.ts'

const BATCH = 200
// Entries of one partition that are held at once, and their size. A key that waits long fills this with its
// successors, and only then do the other keys of the partition wait as well.
const HELD_MAX = 2_000
const HELD_CHARACTERS_MAX = 4_000_000
// A failure of a handler's acknowledgement is noticed after this, also when nothing new comes.
const LOOK_MS = 1_000

/** One owned partition at work. */
interface Partition<T> {
  readonly link: Link
  readonly options: ConsumeOptions<T>
  readonly owned: Owned
  readonly acknowledger: Acknowledger
  readonly attempts: Attempts<T>
  readonly gaps: GapDetector
  /** The highest sequence that was read. */
  seen: number
  readonly tally: Tally
  /** Ends the partition: given up when another owns it, failed for good otherwise. */
  readonly fail: (error: unknown) => void
  readonly hasFailed: () => boolean
}

export function consumeOrdered<T>(
  link: Link,
  publish: Publish,
  options: ConsumeOptions<T>,
  leaseMs: number,
): Task {
  const { stream, group, from = 'start', concurrency = 16 } = options
  const slots = openSlots(concurrency)
  return ownPartitions(link, { stream, group, from, leaseMs }, async (owned) => {
    const failures: unknown[] = []
    const partition = openPartition(link, publish, options, owned, slots, failures)
    const reader = openPartitionReader(link, { stream, group }, owned)
    const held = openHold(HELD_MAX, HELD_CHARACTERS_MAX)
    try {
      while (!owned.stopping.aborted && failures.length === 0) {
        await held.room()
        for (const delivered of await reader.next(BATCH, LOOK_MS)) {
          const { raw, attempt } = delivered
          partition.gaps.see(raw, !delivered.again)
          partition.seen = Math.max(partition.seen, sequenceOf(raw))
          const decoded = decodeEntry(stream, owned.partition, raw, attempt)
          const key = decoded.ok ? decoded.entry.key : raw[0]
          held.run(key, sizeOf(raw), (done) => settle(partition, delivered, decoded, done))
        }
      }
    } catch (error) {
      partition.fail(error)
    }
    // Whatever ended it: the partition is not let go while anything of it is still at work here.
    await held.idle()
    await partition.acknowledger.idle()
    await reader.close()
    if (failures.length > 0 && !owned.lost.aborted) throw failures[0]
  })
}

function openPartition<T>(
  link: Link,
  publish: Publish,
  options: ConsumeOptions<T>,
  owned: Owned,
  slots: Slots,
  failures: unknown[],
): Partition<T> {
  const { stream, group } = options
  const { lost, stopping } = owned
  const keys = partitionKeys(stream.name, owned.partition)
  const where = `${stream.name}/${owned.partition} for ${group}`
  const mine = [owned.owner, owned.epoch, group] as const
  const over = AbortSignal.any([lost, link.closing])
  const handlers = openHandlers(link.clock, options, { ownership: owned.ownership, publish, over })
  const tally = openTally(link, options)
  const fail = (error: unknown) => {
    if (isFenced(error)) owned.giveUp(error)
    else failures.push(error)
  }
  const send = async (entries: readonly string[]) => {
    const count = tally.take()
    await unlessAborted(lost, () =>
      insist(link, `acknowledging ${where}`, lost, async (client) => {
        const scriptKeys = [keys.lease(group), keys.entries, keys.checkpoint(group), keys.meta]
        await runScript(client, ACKNOWLEDGE, scriptKeys, [...mine, '', '', partition.seen, ...entries])
      }),
    )
    count.report()
  }
  const noteBegun = (entry: string, times: number) =>
    unlessAborted(lost, () =>
      insist(link, `an attempt in ${where}`, lost, async (client) => {
        await runScript(
          client,
          NOTE_BEGUN,
          [keys.lease(group), keys.entries],
          [...mine, owned.owner, entry, times],
        )
      }),
    )
  const partition: Partition<T> = {
    ...{ link, options, owned, fail, tally, seen: owned.seen },
    gaps: openGapDetector(link, { stream, group, partition: owned.partition, seen: owned.seen }),
    acknowledger: openAcknowledger({ send, refused: fail }),
    attempts: {
      ...{ link, options, handlers, stopping, noteBegun },
      slots: pausable(slots, owned.pause, stopping),
      isOurs: owned.isValid,
      failed: fail,
    },
    hasFailed: () => failures.length > 0,
  }
  return partition
}

/** Brings one entry to its end: handled and acknowledged, buried, or left pending for whoever comes next. */
function settle<T>(
  partition: Partition<T>,
  delivered: Delivered,
  decoded: Decoded<T>,
  done: () => void,
): void {
  const { link, options, owned, acknowledger, attempts, gaps, tally, fail, hasFailed } = partition
  const { stream, group } = options
  const { raw, again } = delivered
  if (owned.stopping.aborted || hasFailed()) return void done()
  const acknowledge = () => {
    acknowledger.add(raw[0])
    done()
  }
  if (raw[1] === null) {
    gaps.missing(1, 'deleted while it was pending')
    return void acknowledge()
  }
  const dig = (why: Pick<Burial, 'reason' | 'stack' | 'attempts'>) => {
    const burial = { stream, group, partition: owned.partition, lease: owned, raw, ...why }
    unlessAborted(owned.lost, () => bury(link, burial, owned.lost))
      .catch(fail)
      .then(done)
  }
  if (!decoded.ok) return void dig({ attempts: 1, reason: decoded.reason })
  if (decoded.to !== undefined && decoded.to !== group) return void acknowledge()
  const began = link.clock.monotonic()
  attempt(attempts, decoded.entry, again, (outcome) => {
    if (outcome.kind === 'kept') return void done()
    if (outcome.kind === 'dead') return void dig(outcome)
    tally.add(link.clock.monotonic() - began)
    // The key's next entry need not wait until this is stored.
    acknowledge()
  })
}
