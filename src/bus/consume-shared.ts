// Without order: every consumer of the group takes any entry. What a silent consumer holds goes to another after the
// visibility time-out; what is in work here is claimed again before that, so a long handler is left in peace.
import { afterMs, messageOf, repeat, runTasks, type Task } from '../kernel/index.ts'
import { closeRedis, type Redis, ready } from '../redis/index.ts'
import { type Acknowledger, openAcknowledger } from './acknowledge.ts'
import { attempt } from './attempts.ts'
import type { ConsumeOptions } from './bus.ts'
import { decodeEntry, type RawEntry } from './codec.ts'
import { bury } from './dead-letters.ts'
import { ensureGroup, openGroup } from './groups.ts'
import { openLanes } from './lanes.ts'
import { consumerName, insist, isNoGroup, isPassing, type Link } from './link.ts'
import { partitionKeys } from './stream.ts'

const BLOCK_MS = 2_000
const WATCHDOG_MS = 3_000

interface Consumer<T> {
  readonly link: Link
  readonly options: ConsumeOptions<T>
  readonly name: string
  readonly visibilityMs: number
  readonly partitions: readonly number[]
  /** partition → entries in work here. */
  readonly inWork: Map<number, Set<string>>
  readonly acknowledgers: readonly Acknowledger[]
  readonly receive: (partition: number, raw: RawEntry, deliveries: number) => void
  readonly room: () => Promise<void>
  readonly signal: AbortSignal
}

export function consumeShared<T>(link: Link, options: ConsumeOptions<T>, visibilityMs: number): Task {
  return async (signal) => {
    const { stream, group, concurrency = 16, from = 'start' } = options
    const name = consumerName(link)
    const partitions = Array.from({ length: stream.partitions }, (_, partition) => partition)
    const inWork = new Map(partitions.map((partition) => [partition, new Set<string>()]))
    const failed = new AbortController()
    const stopping = AbortSignal.any([signal, failed.signal])
    const acknowledgers = partitions.map((partition) =>
      openAcknowledger((entries) => acknowledge(link, options, partition, entries, stopping)),
    )
    // Twice the concurrency is held, so that the next entries are here when a handler ends.
    const held = openLanes(concurrency).hold(concurrency * 2)
    let order = 0
    const receive = (partition: number, raw: RawEntry, deliveries: number) => {
      const inWorkHere = inWork.get(partition)!
      if (inWorkHere.has(raw[0])) return
      inWorkHere.add(raw[0])
      held
        .run(String(order++), () => settle(consumer, partition, raw, deliveries))
        .catch((error) => {
          // While stopping, an entry that could not be acknowledged stays pending and comes again.
          if (isPassing(error))
            link.events.emit('disturbed', { where: stream.name, reason: messageOf(error) })
          else failed.abort(error)
        })
        .finally(() => inWorkHere.delete(raw[0]))
    }
    const consumer: Consumer<T> = {
      ...{ link, options, name, visibilityMs, partitions, inWork, acknowledgers, receive },
      room: held.room,
      signal: stopping,
    }
    await insist(link, `group ${group}`, stopping, (client) => openGroup(client, stream, group, from))
    await runTasks(
      [() => readNew(consumer), repeat(visibilityMs / 3, link.clock, () => look(consumer))],
      stopping,
    )
    await held.idle()
    await Promise.all(acknowledgers.map((acknowledger) => acknowledger.idle()))
    if (failed.signal.aborted) throw failed.signal.reason
  }
}

async function readNew<T>({
  link,
  options,
  name,
  partitions,
  receive,
  room,
  signal,
}: Consumer<T>): Promise<void> {
  const { stream, group, concurrency = 16, from = 'start' } = options
  const reader = link.reader(`${stream.name}:${group}`)
  const stop = () => reader.disconnect()
  signal.addEventListener('abort', stop, { once: true })
  const keys = partitions.map((partition) => partitionKeys(stream.name, partition).entries)
  // An answer that was lost on the way was delivered all the same: after every disturbance our own list comes first.
  let unseen = true
  try {
    while (!signal.aborted) {
      await room()
      try {
        await ready(reader, 5_000)
        const ids = keys.map(() => (unseen ? '0' : '>'))
        const reply = await read(reader, group, name, concurrency, keys, ids)
        unseen = false
        for (const [key, entries] of reply) {
          for (const raw of entries) receive(keys.indexOf(key), raw, 1)
        }
      } catch (error) {
        if (signal.aborted) return
        unseen = true
        link.events.emit('disturbed', { where: `${stream.name} for ${group}`, reason: messageOf(error) })
        if (isNoGroup(error)) {
          const client = await link.writer()
          await Promise.all(
            partitions.map((partition) => ensureGroup(client, stream, partition, group, from)),
          )
        } else if (!isPassing(error)) throw error
        else await link.clock.sleep(100, signal)
      }
    }
  } finally {
    signal.removeEventListener('abort', stop)
    await closeRedis(reader)
  }
}

type StreamReply = [key: string, entries: RawEntry[]][]

async function read(
  reader: Redis,
  group: string,
  name: string,
  count: number,
  keys: readonly string[],
  ids: readonly string[],
): Promise<StreamReply> {
  const cancel = afterMs(BLOCK_MS + WATCHDOG_MS, () => reader.disconnect(true))
  try {
    const args = ['COUNT', count, 'BLOCK', BLOCK_MS, 'STREAMS', ...keys, ...ids] as const
    const reply = await reader.xreadgroup(
      'GROUP',
      group,
      name,
      ...(args as unknown as ['STREAMS', ...string[]]),
    )
    return toPairs(reply)
  } finally {
    cancel()
  }
}

/** RESP3 answers a map, RESP2 a list of pairs. */
function toPairs(reply: unknown): StreamReply {
  if (reply === null || reply === undefined) return []
  if (Array.isArray(reply)) return reply as StreamReply
  return Object.entries(reply as Record<string, RawEntry[]>)
}

/** Keeps what is in work, and takes what silent consumers hold. */
async function look<T>(consumer: Consumer<T>): Promise<void> {
  const { link, options, name, visibilityMs, partitions, inWork, receive } = consumer
  const { stream, group } = options
  try {
    const client = await link.writer()
    for (const partition of partitions) {
      const key = partitionKeys(stream.name, partition).entries
      const mine = [...inWork.get(partition)!]
      if (mine.length > 0) await client.xclaim(key, group, name, 0, ...mine, 'JUSTID')
      const reply = await client.xautoclaim(key, group, name, visibilityMs, '0-0', 'COUNT', 100)
      const entries = (reply as [string, RawEntry[]])[1]
      if (entries.length === 0) continue
      const counts = await client.xpending(key, group, '-', '+', 1_000, name)
      const deliveries = new Map((counts as [string, string, number, number][]).map((c) => [c[0], c[3]]))
      for (const raw of entries) receive(partition, raw, deliveries.get(raw[0]) ?? 1)
    }
  } catch (error) {
    if (!isPassing(error) && !isNoGroup(error)) throw error
    link.events.emit('disturbed', {
      where: `recovery of ${stream.name} for ${group}`,
      reason: messageOf(error),
    })
  }
}

async function settle<T>(
  consumer: Consumer<T>,
  partition: number,
  raw: RawEntry,
  deliveries: number,
): Promise<void> {
  const { link, options, acknowledgers, signal } = consumer
  const { stream, group } = options
  if (signal.aborted) return
  const acknowledger = acknowledgers[partition]!
  if (raw[1] === null) {
    link.events.emit('lost', {
      stream: stream.name,
      group,
      partition,
      count: 1,
      reason: 'deleted while it was pending',
    })
    return acknowledger.add(raw[0])
  }
  const decoded = decodeEntry(stream, partition, raw, deliveries)
  const burial = { stream, group, partition, lease: undefined, raw }
  if (!decoded.ok) return bury(link, { ...burial, attempts: 1, reason: decoded.reason }, signal)
  if (decoded.to !== undefined && decoded.to !== group) return acknowledger.add(raw[0])
  const began = link.clock.monotonic()
  const outcome = await attempt(link, options, decoded.entry, signal, NEVER)
  if (outcome.kind === 'kept') return
  if (outcome.kind === 'dead') return bury(link, { ...burial, ...outcome }, signal)
  await acknowledger.add(raw[0])
  link.events.emit('handled', {
    stream: stream.name,
    group,
    count: 1,
    tookMs: link.clock.monotonic() - began,
  })
}

const NEVER = new AbortController().signal

async function acknowledge<T>(
  link: Link,
  { stream, group }: ConsumeOptions<T>,
  partition: number,
  entries: readonly string[],
  signal: AbortSignal,
): Promise<void> {
  await insist(link, `acknowledging ${stream.name} for ${group}`, signal, (client) =>
    client.xack(partitionKeys(stream.name, partition).entries, group, ...entries),
  )
}
