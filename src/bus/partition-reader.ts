// Reads one owned partition in order: first everything that former owners held, then what is new. Delivery goes
// through a script that compares the epoch and never blocks; waiting is a plain XREAD on a connection of its own,
// which delivers nothing to the group. So an answer that is lost on the way can be read again, and a process that
// was paused can never receive what belongs to its successor.
import { afterMs, messageOf } from '../kernel/index.ts'
import { closeRedis, type Redis, ready, runScript } from '../redis/index.ts'
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

export function openPartitionReader(
  link: Link,
  { stream, group, from }: { stream: Stream<unknown>; group: string; from: 'start' | 'end' },
  owned: Owned,
): PartitionReader {
  const keys = partitionKeys(stream.name, owned.partition)
  const scriptKeys = [keys.lease(group), keys.entries]
  const mine = [owned.owner, owned.epoch, group, owned.owner] as const
  const waiter = link.reader(`${stream.name}:${owned.partition}:${group}`)
  const where = `${stream.name}/${owned.partition} for ${group}`
  const over = AbortSignal.any([owned.stopping, owned.lost])
  /** The last entry handed out. */
  let last = '0-0'
  /** The last entry that the group was ever given; waiting for what comes after it. */
  let delivered = '0-0'
  let taken = false
  /** Entries may have been delivered to us that we have not seen: read what we hold before anything new. */
  let unseen = true

  const run = <T>(command: (client: Redis) => Promise<T>) =>
    insist(link, where, over, async (client) => {
      try {
        return await command(client)
      } catch (error) {
        if (isPassing(error)) unseen = true
        if (!isNoGroup(error)) throw error
        link.events.emit('lost', {
          stream: stream.name,
          group,
          partition: owned.partition,
          count: 0,
          reason: messageOf(error),
        })
        await ensureGroup(client, stream, owned.partition, group, from)
        return command(client)
      }
    })

  async function takeOver(): Promise<void> {
    let cursor = '0-0'
    let pending = 0
    do {
      const reply = (await run((client) => runScript(client, TAKE_OVER, scriptKeys, [...mine, cursor]))) as [
        string,
        number,
        string,
      ]
      cursor = reply[0]
      pending += Number(reply[1])
      delivered = reply[2]
    } while (cursor !== '0-0')
    link.events.emit('tookOver', {
      stream: stream.name,
      group,
      partition: owned.partition,
      epoch: owned.epoch,
      pending,
    })
  }

  async function readHeld(count: number): Promise<Delivered[]> {
    const reply = await run((client) => runScript(client, READ_HELD, scriptKeys, [...mine, count, last]))
    const [entries, counts] = reply as [RawEntry[], [string, string, number, number][]]
    const deliveries = new Map(counts.map(([id, , , times]) => [id, Number(times)]))
    return entries.map((raw) => ({ raw, deliveries: deliveries.get(raw[0]) ?? 1 }))
  }

  async function readNew(count: number): Promise<Delivered[]> {
    const reply = await run((client) => runScript(client, READ_NEW, scriptKeys, [...mine, count]))
    return (reply as RawEntry[]).map((raw) => ({ raw, deliveries: 1 }))
  }

  async function wait(): Promise<void> {
    const stop = () => waiter.disconnect()
    const cancel = afterMs(BLOCK_MS + WATCHDOG_MS, () => waiter.disconnect(true))
    over.addEventListener('abort', stop, { once: true })
    try {
      await ready(waiter, BLOCK_MS)
      await waiter.xread('COUNT', 1, 'BLOCK', BLOCK_MS, 'STREAMS', keys.entries, maxId(last, delivered))
    } catch (error) {
      if (over.aborted) return
      if (!isPassing(error)) throw error
      link.events.emit('disturbed', { where, reason: messageOf(error) })
      await link.clock.sleep(100, over)
    } finally {
      cancel()
      over.removeEventListener('abort', stop)
    }
  }

  return {
    async next(count) {
      if (!taken) await takeOver()
      taken = true
      while (!over.aborted) {
        if (unseen) {
          unseen = false
          const held = await readHeld(count)
          if (held.length > 0) {
            unseen = true
            last = held.at(-1)!.raw[0]
            return held
          }
          if (unseen) continue
        }
        const fresh = await readNew(count)
        if (unseen) continue
        if (fresh.length > 0) {
          last = maxId(last, fresh.at(-1)!.raw[0])
          return fresh
        }
        await wait()
      }
      return []
    },
    close: () => closeRedis(waiter),
  }
}

const maxId = (a: string, b: string) => (compareIds(a, b) > 0 ? a : b)
