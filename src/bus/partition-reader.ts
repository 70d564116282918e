// Reads one owned partition in order: first everything that former owners held, then what is new. Delivery goes
// through a script that compares the epoch and never blocks; waiting is a plain XREAD on a connection of its own,
// which delivers nothing to the group. So an answer that is lost on the way can be read again, and a process that
// was paused can never receive what belongs to its successor.
import { afterMs, messageOf } from '../kernel/index.ts'
import { closeRedis, type Redis, ready, runScript, type Script } from '../redis/index.ts'
import { compareIds, type RawEntry } from './codec.ts'
import { ensureGroup } from './groups.ts'
import { insist, isNoGroup, isPassing, type Link } from './link.ts'
import type { Owned } from './ownership.ts'
import { READ_HELD, READ_NEW, TAKE_OVER } from './scripts.ts'
import { partitionKeys, type Stream } from './stream.ts'

const BLOCK_MS = 2_000
// A blocked read that is silent for this much longer sits on a dead connection.
const WATCHDOG_MS = 3_000

export interface Delivered {
  readonly raw: RawEntry
  /** How often Redis has delivered it, this time included. */
  readonly deliveries: number
}

export interface PartitionReader {
  /**
   * The next entries in order, at least one; empty only when the owner is stopping. What was read stays held until
   * it is acknowledged.
   */
  next(count: number): Promise<Delivered[]>
  close(): Promise<void>
}

export interface ReaderOptions {
  readonly stream: Stream<unknown>
  readonly group: string
  readonly from: 'start' | 'end'
}

export function openPartitionReader(link: Link, options: ReaderOptions, owned: Owned): PartitionReader {
  const { stream, group } = options
  const { entries } = partitionKeys(stream.name, owned.partition)
  const waiter = link.reader(`${stream.name}:${owned.partition}:${group}`)
  const over = AbortSignal.any([owned.stopping, owned.lost])
  const scripts = partitionScripts(link, options, owned, over)
  /** The last entry handed out. */
  let last = '0-0'
  /** The last entry that the group was ever given; undefined before the take-over. */
  let delivered: string | undefined
  /** Entries may have been delivered to us that we have not seen: read what we hold before anything new. */
  let unseen = true

  async function readHeld(count: number): Promise<Delivered[]> {
    unseen = false
    const held = await scripts.readHeld(count, last)
    // There may be more of it.
    if (held.length > 0) unseen = true
    return held
  }

  return {
    async next(count) {
      delivered ??= await scripts.takeOver()
      while (!over.aborted) {
        const found = unseen ? await readHeld(count) : await scripts.readNew(count)
        // Its first try may have delivered what we never saw, and that stands in front of what we found.
        if (scripts.disturbed()) {
          unseen = true
          continue
        }
        if (found.length > 0) {
          last = maxId(last, found.at(-1)!.raw[0])
          return found
        }
        if (!unseen) await waitForMore(link, waiter, entries, maxId(last, delivered), over)
      }
      return []
    },
    close: () => closeRedis(waiter),
  }
}

/** The scripts of one owned partition. After a failure on the way, `disturbed` is true once. */
function partitionScripts(
  link: Link,
  { stream, group, from }: ReaderOptions,
  owned: Owned,
  over: AbortSignal,
) {
  const keys = partitionKeys(stream.name, owned.partition)
  const mine = [owned.owner, owned.epoch, group, owned.owner] as const
  let disturbed = false

  const run = (script: Script, ...args: (string | number)[]) =>
    insist(link, `${stream.name}/${owned.partition} for ${group}`, over, async (client) => {
      const once = () => runScript(client, script, [keys.lease(group), keys.entries], [...mine, ...args])
      try {
        return await once()
      } catch (error) {
        if (isPassing(error)) disturbed = true
        if (!isNoGroup(error)) throw error
        const fact = { stream: stream.name, group, partition: owned.partition, count: 0 }
        link.events.emit('lost', { ...fact, reason: messageOf(error) })
        await ensureGroup(client, stream, owned.partition, group, from)
        return once()
      }
    })

  return {
    disturbed() {
      const was = disturbed
      disturbed = false
      return was
    },
    /** Claims what former owners hold; answers the last entry that was ever delivered to the group. */
    async takeOver(): Promise<string> {
      let cursor = '0-0'
      let pending = 0
      let delivered: string
      do {
        const [next, count, last] = (await run(TAKE_OVER, cursor)) as [string, number, string]
        cursor = next
        pending += Number(count)
        delivered = last
      } while (cursor !== '0-0')
      const fact = { stream: stream.name, group, partition: owned.partition, epoch: owned.epoch }
      link.events.emit('tookOver', { ...fact, pending })
      return delivered
    },
    async readHeld(count: number, after: string): Promise<Delivered[]> {
      const reply = await run(READ_HELD, count, after)
      const [entries, counts] = reply as [RawEntry[], [string, string, number, number][]]
      const deliveries = new Map(counts.map(([id, , , times]) => [id, Number(times)]))
      return entries.map((raw) => ({ raw, deliveries: deliveries.get(raw[0]) ?? 1 }))
    },
    async readNew(count: number): Promise<Delivered[]> {
      return ((await run(READ_NEW, count)) as RawEntry[]).map((raw) => ({ raw, deliveries: 1 }))
    },
  }
}

/** Resolves when the partition holds something after `after`, when waiting is over, or when it is time to look. */
async function waitForMore(
  link: Link,
  waiter: Redis,
  key: string,
  after: string,
  over: AbortSignal,
): Promise<void> {
  const stop = () => waiter.disconnect()
  const cancel = afterMs(BLOCK_MS + WATCHDOG_MS, () => waiter.disconnect(true))
  over.addEventListener('abort', stop, { once: true })
  try {
    await ready(waiter, BLOCK_MS)
    if (!over.aborted) await waiter.xread('COUNT', 1, 'BLOCK', BLOCK_MS, 'STREAMS', key, after)
  } catch (error) {
    if (over.aborted) return
    if (!isPassing(error)) throw error
    link.events.emit('disturbed', { where: `waiting for ${key}`, reason: messageOf(error) })
    await link.clock.sleep(100, over)
  } finally {
    cancel()
    over.removeEventListener('abort', stop)
  }
}

const maxId = (a: string, b: string) => (compareIds(a, b) > 0 ? a : b)
