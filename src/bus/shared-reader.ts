// Reading without order: a blocking read over all partitions, and what keeps it whole. An answer that was lost on the
// way was delivered all the same, so after every disturbance our own list comes first.
import { afterMs } from '../kernel/index.ts'
import { closeRedis, isWrongType, type Redis, ready, redisError, runScript } from '../redis/index.ts'
import type { ConsumeOptions } from './bus.ts'
import type { RawEntry } from './codec.ts'
import { openGapDetector } from './gaps.ts'
import { readGroup } from './group-read.ts'
import { healGroup } from './groups.ts'
import { disturb, insist, isNoGroup, isPassing, type Link } from './link.ts'
import { healTypes } from './move-aside.ts'
import type { Pace } from './pace.ts'
import type { Delivered } from './partition-reader.ts'
import type { Pause } from './pause.ts'
import { heldOf, newOf } from './reply.ts'
import { READ_HELD, READ_NEW } from './scripts.ts'
import { partitionKeys } from './stream.ts'

const BLOCK_MS = 2_000
const WATCHDOG_MS = 3_000
const READ_BYTES = 1_000_000
// A blocking read that finds this many found a backlog.
const BLOCK_COUNT = 20

export interface SharedReader<T> {
  readonly link: Link
  readonly options: ConsumeOptions<T>
  /** The consumer's name in the group. */
  readonly name: string
  readonly visibilityMs: number
  readonly partitions: readonly number[]
  /** partition → entries in work here. */
  readonly inWork: ReadonlyMap<number, ReadonlySet<string>>
  readonly receive: (partition: number, delivered: Delivered) => void
  /** An entry in work here has gone to another consumer. */
  readonly drop: (partition: number, entry: string) => void
  readonly room: () => Promise<void>
  readonly pace: Pace
  /** Whether the group takes anything at present. */
  readonly pause: Pause
  readonly stopping: AbortSignal
}

/**
 * Reads the given partitions until told to stop. While there is a backlog each is read by a script, whose answer costs
 * a fifth to take in (READ_NEW); when the readers have caught up, one blocking read gives an entry as soon as it is
 * stored.
 */
export async function readNew<T>(shared: SharedReader<T>, partitions: readonly number[]): Promise<void> {
  const { link, options, room, pause, stopping } = shared
  const { stream, group } = options
  // Named in a cluster, where partitions are read one by one, each from its own node.
  const { entries } = partitionKeys(stream.name, partitions[0]!)
  const reader = link.reader(`${stream.name}:${group}`, entries)
  const stop = () => reader.disconnect()
  stopping.addEventListener('abort', stop, { once: true })
  const ahead: Ahead = new Map()
  let unseen = false
  let isBehind = true
  try {
    while (!stopping.aborted) {
      await room()
      await pause.passed(stopping)
      try {
        if (unseen) await readHeld(shared, partitions)
        const outcome: Outcome = isBehind
          ? await readBacklog(shared, partitions, ahead)
          : await readBlocking(shared, reader, partitions)
        unseen = outcome === 'late'
        isBehind = outcome !== 'caught up'
      } catch (error) {
        await forget(ahead)
        if (stopping.aborted) return
        unseen = true
        await recover(shared, error)
      }
    }
  } finally {
    await forget(ahead)
    stopping.removeEventListener('abort', stop)
    await closeRedis(reader)
  }
}

/** `late`: it lay here for so long that others may have taken it; what is still ours is read again. */
type Outcome = 'behind' | 'caught up' | 'late'

interface Batch {
  /** As many as were asked for. */
  readonly count: number
  /** Monotonic time of the request: from about then on it counts as held by us. */
  readonly readAt: number
  readonly raws: Promise<RawEntry[]>
}

/** partition → what is read ahead of it: the server works while we do. */
type Ahead = Map<number, Batch>

/** What was read ahead is held by us all the same, and found there. */
async function forget(ahead: Ahead): Promise<void> {
  await Promise.allSettled([...ahead.values()].map(({ raws }) => raws))
  ahead.clear()
}

async function readBacklog<T>(
  shared: SharedReader<T>,
  partitions: readonly number[],
  ahead: Ahead,
): Promise<Outcome> {
  const { room, pace, pause, stopping } = shared
  let isBehind = false
  for (const partition of partitions) {
    await room()
    if (stopping.aborted || pause.isPaused()) break
    const batch = ahead.get(partition) ?? readBatch(shared, partition)
    ahead.delete(partition)
    const raws = await batch.raws
    if (isLate(shared, batch.readAt)) {
      await forget(ahead)
      return 'late'
    }
    if (raws.length >= batch.count) {
      isBehind = true
      // Slow handlers would only withhold it from other consumers.
      if (pace.isFast()) ahead.set(partition, readBatch(shared, partition))
    }
    hand(shared, partition, raws)
  }
  return isBehind || ahead.size > 0 ? 'behind' : 'caught up'
}

const isLate = <T>({ link, visibilityMs }: SharedReader<T>, readAt: number): boolean =>
  link.clock.monotonic() - readAt > visibilityMs / 2

function readBatch<T>({ link, options, name, pace }: SharedReader<T>, partition: number): Batch {
  const { entries } = partitionKeys(options.stream.name, partition)
  const count = pace.count()
  const readAt = link.clock.monotonic()
  const read = async () => {
    const args = ['', '', options.group, name, count, READ_BYTES]
    return newOf(await runScript(await link.writer(), READ_NEW, [entries, entries], args))
  }
  const raws = read()
  // Awaited when its turn comes; a failure before that is no unhandled one.
  raws.catch(() => {})
  return { count, readAt, raws }
}

async function readBlocking<T>(
  shared: SharedReader<T>,
  reader: Redis,
  partitions: readonly number[],
): Promise<Outcome> {
  const { link, options, name, stopping } = shared
  const { stream, group, concurrency = 16 } = options
  await ready(reader, WATCHDOG_MS)
  if (stopping.aborted) return 'caught up'
  const keys = partitions.map((partition) => partitionKeys(stream.name, partition).entries)
  const count = Math.min(concurrency, BLOCK_COUNT)
  let isBehind = false
  // Silent for this much longer it sits on a dead connection.
  const cancel = afterMs(BLOCK_MS + WATCHDOG_MS, () => reader.disconnect(true))
  const read = { group, consumer: name, keys, count, blockMs: BLOCK_MS }
  const found = await readGroup(reader, read).finally(cancel)
  const readAt = link.clock.monotonic()
  // Read before somebody paused the group, and held until it goes on.
  await shared.pause.passed(stopping)
  if (isLate(shared, readAt)) return 'late'
  for (const [key, raws] of found) {
    hand(shared, partitions[keys.indexOf(key)]!, raws)
    if (raws.length >= count) isBehind = true
  }
  return isBehind ? 'behind' : 'caught up'
}

/** What one read gave follows each other in the stream: a hole in the numbers is a loss. */
function hand<T>(
  { link, options, receive }: SharedReader<T>,
  partition: number,
  raws: readonly RawEntry[],
): void {
  const { stream, group } = options
  const gaps = openGapDetector(link, { stream, group, partition, seen: 0 })
  for (const raw of raws) {
    gaps.see(raw)
    receive(partition, { raw, attempt: 1, again: false })
  }
}

/** Heals what a read failed for, waits when it passes by itself, and throws what neither helps against. */
async function recover<T>(
  { link, options, partitions, stopping }: SharedReader<T>,
  error: unknown,
): Promise<void> {
  const { stream, group, from = 'start' } = options
  const where = `${stream.name} for ${group}`
  disturb(link, where, error)
  if (isWrongType(error)) await insist(link, where, stopping, () => healTypes(link, stream, group))
  else if (isNoGroup(error)) {
    const heal = (client: Redis) => healGroup(client, link, { stream, group, from }, partitions)
    await insist(link, where, stopping, heal).catch(async (reason) => {
      // The next read says it again and meets the branch above.
      if (!isWrongType(reason)) throw reason
    })
  } else if (!isPassing(error)) throw redisError(error, link.url)
  await link.clock.sleep(100, stopping)
}

/** Everything that this consumer holds and that is not in work: it was delivered in an answer that was lost. */
async function readHeld<T>(shared: SharedReader<T>, partitions: readonly number[]): Promise<void> {
  const { link, options, name, receive, room } = shared
  const { stream, group, concurrency = 16 } = options
  for (const partition of partitions) {
    const { entries } = partitionKeys(stream.name, partition)
    for (let after: string | undefined = '0-0'; after; ) {
      await room()
      const args = ['', '', group, name, concurrency, READ_BYTES, after]
      const held = heldOf(await runScript(await link.writer(), READ_HELD, [entries, entries], args))
      for (const { raw } of held) receive(partition, { raw, attempt: 1, again: false })
      after = held.at(-1)?.raw[0]
    }
  }
}
