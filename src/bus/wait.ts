// Waiting for what is stored next in an owned partition, on a connection of its own. From Redis 7.0 on a waiting read
// ends when one of its streams is deleted (measured: 7.0.15, 7.2.6 and 8.0; 6.2.16 lets it wait on and then gives it
// the entry). There the read that waits is the one that delivers, fenced by the gate: 1 round trip instead of 2. Older
// servers are only asked whether something is there.
import { afterMs } from '../kernel/index.ts'
import { hasCommand, type Line, lineOf, type Redis, type RedisNode, ready } from '../redis/index.ts'
import { compareIds, type RawEntry } from './codec.ts'
import { readGroup } from './group-read.ts'
import type { Owned } from './lease.ts'
import { disturb, isNoGroup, isPassing, type Link } from './link.ts'
import { entriesByKey } from './reply.ts'
import { partitionKeys, type Stream } from './stream.ts'

const READY_MS = 2_000
// A read that is silent for this much longer than it was to wait sits on a dead connection.
const WATCHDOG_MS = 3_000
// Few, because they may be large; who is given as many finds the rest as a backlog.
const COUNT = 20

export interface Waited {
  /** Delivered to the group and to us. */
  readonly raws: readonly RawEntry[]
  /** False when entries may have been delivered in an answer that was lost. */
  readonly isCertain: boolean
  /** There may be more at once. */
  readonly more: boolean
}

export interface Wait {
  /** @param after the last entry that is known. */
  next(after: string, blockMs: number): Promise<Waited>
  /** It has waited on another connection than the first. */
  isElsewhere(): boolean
}

export interface WaitOptions {
  readonly stream: Stream<unknown>
  readonly group: string
  readonly owned: Owned
  readonly over: AbortSignal
}

export function openWait(link: Link, waiter: Redis, options: WaitOptions): Wait {
  const { stream, group, owned, over } = options
  const { entries, gate } = partitionKeys(stream.name, owned.partition)
  const mine = gate(group, owned.epoch)
  let knowsGates: boolean | undefined
  /** Reads in a row that found no gate. */
  let gone = 0
  /** The last entry that is known to be there and is not new to the group: somebody moved it forward by hand. */
  let skip = '0-0'
  let line: Line | undefined
  let isElsewhere = false

  const readFenced = async (blockMs: number): Promise<Waited> => {
    const read = { group, consumer: owned.owner, keys: [mine, entries], count: COUNT, blockMs }
    const raws = (await readGroup(waiter, read)).find(([key]) => key === entries)?.[1] ?? []
    return { raws, isCertain: true, more: raws.length >= COUNT }
  }
  const look = async (after: string, blockMs: number): Promise<Waited> => {
    const from = compareIds(after, skip) > 0 ? after : skip
    const reply = await waiter.xread('COUNT', 1, 'BLOCK', blockMs, 'STREAMS', entries, from)
    const woke = entriesByKey(reply)[0]?.[1][0]?.[0]
    if (woke) skip = woke
    return { raws: [], isCertain: true, more: woke !== undefined }
  }

  const next = async (after: string, blockMs: number): Promise<Waited> => {
    const stop = () => waiter.disconnect()
    const cancel = afterMs(blockMs + WATCHDOG_MS, () => waiter.disconnect(true))
    over.addEventListener('abort', stop, { once: true })
    try {
      await ready(waiter, READY_MS)
      const now = lineOf(waiter as unknown as RedisNode)
      line ??= now
      if (line !== now) isElsewhere = true
      if (isElsewhere) return NOTHING
      // A command of Redis 7.0; the next server may be another one.
      knowsGates ??= await hasCommand(await link.writer(), 'FUNCTION')
      if (over.aborted) return NOTHING
      const ms = Math.ceil(blockMs)
      const waited = await (knowsGates ? readFenced(ms) : look(after, ms))
      gone = 0
      return waited
    } catch (error) {
      knowsGates = undefined
      if (over.aborted) return NOTHING
      // The gate is gone: the next fenced command says whether another owner came or the server was flushed.
      if (isNoGroup(error)) {
        // Neither: somebody deleted the gate alone. A new epoch makes a new one.
        if (++gone > 1) throw new Error('FENCED the gate vanished', { cause: error })
        return { raws: [], isCertain: false, more: true }
      }
      if (!isPassing(error)) throw error
      disturb(link, `waiting for ${entries}`, error)
      await link.clock.sleep(100, over)
      return { raws: [], isCertain: false, more: true }
    } finally {
      cancel()
      over.removeEventListener('abort', stop)
    }
  }
  return { next, isElsewhere: () => isElsewhere }
}

const NOTHING: Waited = { raws: [], isCertain: true, more: false }
