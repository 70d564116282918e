// Publishing: one script call for each partition and at most 200 events. Partitions go side by side; the calls of one
// partition follow each other, because a second one could succeed where the first was refused, and overtake it.
import { messageOf, SluiceError } from '../kernel/index.ts'
import { confirmWrites, isWrongType, type Redis, redisError, runScript } from '../redis/index.ts'
import type { Outgoing, Ownership, Receipt } from './bus.ts'
import { encodeEvent } from './codec.ts'
import { isFenced, type Link } from './link.ts'
import { healPartition } from './move-aside.ts'
import { PUBLISH, PUBLISH_ONE } from './publish-scripts.ts'
import { partitionKeys, partitionOf, type Stream } from './stream.ts'

// 200 events of 200 bytes keep the server busy for about 1 ms; longer scripts would delay everybody's locks.
const EVENTS_MAX = 200
const CHARACTERS_MAX = 1_000_000

/** Publishes; for an owner of a partition refused with OWNERSHIP_LOST once a later one has published to the same place. */
export type Publish = (events: readonly Outgoing[], by?: Ownership) => Promise<Receipt[]>

interface Batch {
  readonly stream: Stream<unknown>
  readonly partition: number
  readonly args: string[]
  /** Places of the batch's events in the caller's list. */
  readonly places: number[]
  characters: number
}

export interface PublishOptions {
  /** Replicas that must confirm an entry of a durable stream. */
  readonly replicas: number
  readonly replicaTimeoutMs: number
}

export async function publish(
  link: Link,
  { replicas, replicaTimeoutMs }: PublishOptions,
  events: readonly Outgoing[],
  by?: Ownership,
): Promise<Receipt[]> {
  if (events.length === 0) return []
  const began = link.clock.monotonic()
  const lists = toBatches(events)
  const receipts = new Array<Receipt>(events.length)
  try {
    const isDurable = replicas > 0 && lists.some(([first]) => first?.stream.durable)
    const client = await (isDurable ? link.durable() : link.writer())
    const send = () => sendAll(link, client, lists, by, receipts)
    if (isDurable) await confirm(client, { replicas, replicaTimeoutMs }, lists, send)
    else await send()
  } catch (error) {
    throw redisError(error, link.url)
  }
  report(link, events, receipts, link.clock.monotonic() - began)
  return receipts
}

/** Partitions side by side. All have ended when it throws the first refusal. */
async function sendAll(
  link: Link,
  client: Redis,
  lists: readonly Batch[][],
  by: Ownership | undefined,
  receipts: Receipt[],
): Promise<void> {
  if (lists.length === 1) return sendInOrder(link, client, lists[0]!, by, receipts)
  const sent = await Promise.allSettled(
    lists.map((batches) => sendInOrder(link, client, batches, by, receipts)),
  )
  for (const one of sent) if (one.status === 'rejected') throw one.reason
}

/** The batches of one partition. Throws at the first refusal; nothing is sent after it. */
async function sendInOrder(
  link: Link,
  client: Redis,
  batches: readonly Batch[],
  by: Ownership | undefined,
  receipts: Receipt[],
): Promise<void> {
  for (const batch of batches) {
    const { stream, partition, places } = batch
    let entries: string[]
    try {
      entries = await send(link, client, batch, by)
    } catch (error) {
      entries = await sendAgain(link, client, batch, by, error)
    }
    if (entries.includes('!')) throw refuse(link, batch, `it holds ${stream.maxEntries} entries`)
    for (let i = 0; i < entries.length; i++) {
      const entry = entries[i]!
      receipts[places[i]!] = { partition, entry, duplicate: entry === '' }
    }
  }
}

/** For each partition its batches in order. */
function toBatches(events: readonly Outgoing[]): Batch[][] {
  const lists = new Map<string, Batch[]>()
  for (let place = 0; place < events.length; place++) {
    const event = events[place]!
    const args = encodeEvent(event)
    const partition = partitionOf(event.stream, args[1])
    const name = `${event.stream.name}:${partition}`
    const list = lists.get(name) ?? []
    lists.set(name, list)
    let batch = list.at(-1)
    if (!batch || batch.places.length >= EVENTS_MAX || batch.characters >= CHARACTERS_MAX) {
      batch = { stream: event.stream, partition, args: [], places: [], characters: 0 }
      list.push(batch)
    }
    batch.args.push(...args)
    batch.places.push(place)
    batch.characters += args[2].length
  }
  return [...lists.values()]
}

/** Once more after a key of another type was moved aside; throws what any other failure means. */
async function sendAgain(
  link: Link,
  client: Redis,
  batch: Batch,
  by: Ownership | undefined,
  failure: unknown,
): Promise<string[]> {
  const { stream, partition } = batch
  try {
    if (!isWrongType(failure)) throw failure
    await healPartition(link, stream, '', partition)
    return await send(link, client, batch, by)
  } catch (error) {
    if (by && isFenced(error)) throw ownershipLost(by, stream.name, partition, error)
    throw messageOf(error).startsWith('OOM') ? refuse(link, batch, 'Redis is out of memory') : error
  }
}

function send(
  link: Link,
  client: Redis,
  { stream, partition, args, places }: Batch,
  by: Ownership | undefined,
): Promise<string[]> {
  const keys = partitionKeys(stream.name, partition)
  return runScript(
    client,
    places.length === 1 ? PUBLISH_ONE : PUBLISH,
    [keys.entries, keys.meta, keys.idsNew, keys.idsOld],
    [stream.dedupeMs, stream.maxEntries, by?.resource ?? '', by?.epoch ?? 0, link.source, ...args],
  ) as Promise<string[]>
}

// Promoting a stalled replica lost 38 % of acknowledged writes without this and none with it (measured).
async function confirm(
  client: Redis,
  { replicas, replicaTimeoutMs: timeoutMs }: PublishOptions,
  lists: readonly Batch[][],
  send: () => Promise<void>,
): Promise<void> {
  const durable = lists.filter(([first]) => first!.stream.durable)
  const keys = durable.map(([first]) => partitionKeys(first!.stream.name, first!.partition).barrier)
  const { confirmed } = await confirmWrites(client, { replicas, timeoutMs, keys }, send)
  if (confirmed >= replicas) return
  throw new SluiceError(
    'REDIS_UNAVAILABLE',
    `${confirmed} of ${replicas} replicas confirmed within ${timeoutMs} ms; publish again.`,
    { confirmed, replicas, timeoutMs },
  )
}

function ownershipLost(
  { resource, epoch }: Ownership,
  stream: string,
  partition: number,
  error: unknown,
): SluiceError {
  const latest = Number(/(\d+)$/.exec(messageOf(error))?.[1])
  return new SluiceError(
    'OWNERSHIP_LOST',
    `${resource} has a later owner than epoch ${epoch}, which has published to ${stream}/${partition}.`,
    { resource, epoch, stream, partition, latest },
  )
}

function refuse(link: Link, { stream, partition }: Batch, why: string): SluiceError {
  link.events.emit('refused', {
    stream: stream.name,
    partition,
    reason: 'overloaded',
    length: stream.maxEntries,
  })
  return new SluiceError('OVERLOADED', `${stream.name}/${partition} takes no more: ${why}.`, {
    stream: stream.name,
    partition,
    maxEntries: stream.maxEntries,
  })
}

function report(link: Link, events: readonly Outgoing[], receipts: readonly Receipt[], tookMs: number): void {
  const counts = new Map<string, { count: number; duplicates: number }>()
  for (let i = 0; i < events.length; i++) {
    const { name } = events[i]!.stream
    const count = counts.get(name) ?? { count: 0, duplicates: 0 }
    count.count++
    if (receipts[i]!.duplicate) count.duplicates++
    counts.set(name, count)
  }
  for (const [stream, count] of counts) link.events.emit('published', { stream, ...count, tookMs })
}
