// Order by key: the owner of a partition handles each key's entries one after the other and different keys side by
// side. An entry that waits for its next attempt holds back its own key only.
import { messageOf, type Task } from '../kernel/index.ts'
import { runScript } from '../redis/index.ts'
import { type Acknowledger, openAcknowledger } from './acknowledge.ts'
import { attempt } from './attempts.ts'
import type { ConsumeOptions } from './bus.ts'
import { type Decoded, decodeEntry, type RawEntry } from './codec.ts'
import { bury } from './dead-letters.ts'
import { openLanes } from './lanes.ts'
import { insist, isFenced, type Link } from './link.ts'
import { type Owned, ownPartitions } from './ownership.ts'
import { openPartitionReader } from './partition-reader.ts'
import { ACKNOWLEDGE } from './scripts.ts'
import { partitionKeys } from './stream.ts'

const BATCH = 200
// Entries of one partition that are held at once. A key that waits long fills this with its successors, and only
// then do the other keys of the partition wait as well.
const HELD_MAX = 2_000

export function consumeOrdered<T>(link: Link, options: ConsumeOptions<T>, leaseMs: number): Task {
  const { stream, group, from = 'start', concurrency = 16 } = options
  const lanes = openLanes(concurrency)
  return ownPartitions(link, { stream, group, from, leaseMs }, async (owned) => {
    const reader = openPartitionReader(link, { stream, group, from }, owned)
    const acknowledger = openAcknowledger((entries) => acknowledge(link, group, stream.name, owned, entries))
    const held = lanes.hold(HELD_MAX)
    const failures: unknown[] = []
    const fail = (error: unknown) => {
      if (isFenced(error)) owned.giveUp(messageOf(error))
      else failures.push(error)
    }
    try {
      while (!owned.stopping.aborted && failures.length === 0) {
        await held.room()
        for (const { raw, deliveries } of await reader.next(BATCH)) {
          const decoded = decodeEntry(stream, owned.partition, raw, deliveries)
          const key = decoded.ok ? decoded.entry.key : raw[0]
          held.run(key, () => settle(link, options, owned, raw, decoded, acknowledger)).catch(fail)
        }
      }
      await held.idle()
      await acknowledger.idle()
    } finally {
      await reader.close()
    }
    if (failures.length > 0 && !owned.lost.aborted) throw failures[0]
  })
}

/** Brings one entry to its end: handled and acknowledged, buried, or left pending for whoever comes next. */
async function settle<T>(
  link: Link,
  options: ConsumeOptions<T>,
  owned: Owned,
  raw: RawEntry,
  decoded: Decoded<T>,
  acknowledger: Acknowledger,
): Promise<void> {
  const { stream, group } = options
  if (owned.stopping.aborted) return
  if (raw[1] === null) {
    const fact = { stream: stream.name, group, partition: owned.partition, count: 1 }
    link.events.emit('lost', { ...fact, reason: 'deleted while it was pending' })
    return acknowledger.add(raw[0])
  }
  const burial = { stream, group, partition: owned.partition, lease: owned, raw }
  if (!decoded.ok) return bury(link, { ...burial, attempts: 1, reason: decoded.reason }, owned.lost)
  if (decoded.to !== undefined && decoded.to !== group) return acknowledger.add(raw[0])
  const began = link.clock.monotonic()
  const outcome = await attempt(link, options, decoded.entry, owned.stopping, owned.lost)
  if (outcome.kind === 'kept') return
  if (outcome.kind === 'dead') return bury(link, { ...burial, ...outcome }, owned.lost)
  // Not awaited: the key's next entry need not wait for the acknowledgement of what is done.
  acknowledger.add(raw[0]).catch((error) => owned.giveUp(messageOf(error)))
  link.events.emit('handled', {
    stream: stream.name,
    group,
    count: 1,
    tookMs: link.clock.monotonic() - began,
  })
}

async function acknowledge(
  link: Link,
  group: string,
  stream: string,
  owned: Owned,
  entries: readonly string[],
): Promise<void> {
  const keys = partitionKeys(stream, owned.partition)
  const scriptKeys = [keys.lease(group), keys.entries, keys.checkpoint(group)]
  const args = [owned.owner, owned.epoch, group, '', '', '', ...entries]
  await insist(link, `acknowledging ${stream} for ${group}`, owned.lost, (client) =>
    runScript(client, ACKNOWLEDGE, scriptKeys, args),
  )
}
