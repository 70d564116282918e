// Entries that no attempt could handle. They are moved and acknowledged in one script, with what is needed to
// understand and to repeat them, and wait in a stream beside their origin until a person replays or drops them.
import { SluiceError } from '../kernel/index.ts'
import { isWrongType, type Redis, runScript } from '../redis/index.ts'
import type { DeadLetter, DeadLetterQuery } from './bus.ts'
import { compareIds, decodeEntry, entryTime, fieldOf, type RawEntry } from './codec.ts'
import { FIND_DEAD } from './control-scripts.ts'
import { demandGroup } from './group-control.ts'
import { insist, type Link } from './link.ts'
import { healPartition } from './move-aside.ts'
import { BURY, REVIVE } from './scripts.ts'
import { partitionKeys, partitionsOf, type Stream } from './stream.ts'

// What one call looks through: longer ones would hold up everybody else.
const LOOK_MAX = 500
const LOOK_BYTES = 1_000_000

export interface Burial {
  readonly stream: Stream<unknown>
  readonly partition: number
  readonly group: string
  /** Undefined for groups without leases. */
  readonly lease: { readonly owner: string; readonly epoch: number } | undefined
  readonly raw: RawEntry
  readonly attempts: number
  readonly reason: string
  readonly stack?: string | undefined
}

/** Moves one entry; safe to repeat. Rejects with FENCED when the partition is another's. */
export async function bury(link: Link, burial: Burial, signal: AbortSignal): Promise<void> {
  const { stream, partition, group, lease, raw, attempts, reason, stack } = burial
  const [entry, fields] = raw
  const keys = partitionKeys(stream.name, partition)
  const field = (name: string) => fieldOf(fields ?? [], name) ?? ''
  const told = {
    stream: stream.name,
    partition,
    group,
    entry,
    id: field('id') || `${stream.name}/${partition}/${entry}`,
    type: field('type'),
    time: field('time') || entryTime(entry),
    partitionkey: field('partitionkey'),
    traceparent: field('traceparent'),
    attempts,
    reason: reason.slice(0, 1_000),
    stack: (stack ?? '').slice(0, 4_000),
    buried: link.clock.now(),
    data: field('data'),
  }
  const args = [lease?.owner ?? '', lease?.epoch ?? '', group, entry, ...Object.entries(told).flat()]
  const move = () =>
    insist(link, `dead letter of ${stream.name}`, signal, (client) =>
      runScript(client, BURY, [keys.lease(group), keys.entries, keys.dead], args),
    )
  const moved = await move().catch(async (error) => {
    if (!isWrongType(error)) throw error
    await healPartition(link, stream, group, partition)
    return move()
  })
  if (moved !== '') link.events.emit('deadLettered', { stream: stream.name, group, entry, attempts, reason })
}

/** Newest first over all partitions; those of one moment by the higher partition, so that pages fit together. */
export async function listDeadLetters(
  link: Link,
  stream: Stream<unknown>,
  limit: number,
  { group, before }: DeadLetterQuery = {},
): Promise<DeadLetter[]> {
  const client = await link.writer()
  const cursor = before === undefined ? undefined : parseName(stream, before)
  const lists = await Promise.all(
    partitionsOf(stream).map((partition) => {
      const from = cursor === undefined ? '+' : partition < cursor.partition ? cursor.id : `(${cursor.id}`
      return newestOf(client, stream, partition, { limit, group, from })
    }),
  )
  return lists
    .flat()
    .sort((a, b) => compareIds(idOf(b), idOf(a)) || b.partition - a.partition)
    .slice(0, limit)
}

const idOf = ({ entry }: DeadLetter) => entry.slice(entry.indexOf('/') + 1)

/** Of one partition, from an id back. The server looks through them, a few at a time so that nobody else waits. */
async function newestOf(
  client: Redis,
  stream: Stream<unknown>,
  partition: number,
  { limit, group = '', from }: { limit: number; group: string | undefined; from: string },
): Promise<DeadLetter[]> {
  const { dead } = partitionKeys(stream.name, partition)
  const found: DeadLetter[] = []
  for (let at = from; at !== '' && found.length < limit; ) {
    const args = [at, group, limit - found.length, LOOK_MAX, LOOK_BYTES]
    const [next, raws] = (await runScript(client, FIND_DEAD, [dead], args)) as [string, RawEntry[]]
    found.push(...raws.map((raw) => toDeadLetter(partition, raw)))
    at = next
  }
  return found
}

/** One by its name; undefined when it is not there. */
export async function findDeadLetter(
  link: Link,
  stream: Stream<unknown>,
  name: string,
): Promise<DeadLetter | undefined> {
  const { partition, id } = parseName(stream, name)
  const [raw] = await (await link.writer()).xrange(partitionKeys(stream.name, partition).dead, id, id)
  return raw && toDeadLetter(partition, raw as RawEntry)
}

/** Hands a dead letter to its group again, under its old event id, and removes it; false when it is not there. */
export async function replayDeadLetter(
  link: Link,
  stream: Stream<unknown>,
  name: string,
  edited?: string,
): Promise<boolean> {
  const { partition, id } = parseName(stream, name)
  const keys = partitionKeys(stream.name, partition)
  const client = await link.writer()
  const [raw] = await client.xrange(keys.dead, id, id)
  if (!raw) return false
  const letter = toDeadLetter(partition, raw as RawEntry)
  // Put back for a group that nobody knows any more, it would be acknowledged by all others and be gone.
  await demandGroup(client, stream, letter.group)
  const data = edited ?? letter.data
  const key = checkPayload(stream, letter, data)
  const type = fieldOf(raw[1], 'type') || stream.name
  const time = fieldOf(raw[1], 'time') || String(letter.time)
  const fields = { id: letter.eventId, source: link.source, type, time, partitionkey: key }
  const traceparent = fieldOf(raw[1], 'traceparent') ?? ''
  const args = [id, letter.group, ...Object.entries({ ...fields, traceparent, data }).flat()]
  return (await runScript(client, REVIVE, [keys.entries, keys.meta, keys.dead], args)) !== ''
}

/** The key of a payload that may be put back in the letter's partition. Throws PAYLOAD_*. */
function checkPayload(stream: Stream<unknown>, letter: DeadLetter, data: string): string {
  const refused = (what: string) =>
    new SluiceError('PAYLOAD_INVALID', `${stream.name}: ${what}`, {
      stream: stream.name,
      entry: letter.entry,
    })
  const bytes = Buffer.byteLength(data)
  const max = stream.maxPayloadBytes
  if (bytes > max) {
    const facts = { stream: stream.name, entry: letter.entry, bytes, max }
    throw new SluiceError('PAYLOAD_TOO_LARGE', `${stream.name}: ${bytes} bytes; allowed are ${max}.`, facts)
  }
  const decoded = decodeEntry(stream, letter.partition, [letter.originEntry, ['data', data]], 1)
  if (!decoded.ok) throw refused(decoded.reason)
  const { key } = decoded.entry
  // Another key belongs into another partition; here its order would not be kept.
  if (letter.key !== '' && key !== letter.key) {
    throw refused(
      `the edit makes the key ${key}, and this is an entry of ${letter.key}; publish it as a new one`,
    )
  }
  return key
}

export async function dropDeadLetter(link: Link, stream: Stream<unknown>, name: string): Promise<boolean> {
  const { partition, id } = parseName(stream, name)
  const client = await link.writer()
  return (await client.xdel(partitionKeys(stream.name, partition).dead, id)) === 1
}

export async function countDeadLetters(link: Link, stream: Stream<unknown>): Promise<number> {
  const client = await link.writer()
  const keys = partitionsOf(stream).map((partition) => partitionKeys(stream.name, partition).dead)
  const lengths = await Promise.all(keys.map((key) => client.xlen(key)))
  return lengths.reduce((sum, length) => sum + length, 0)
}

function parseName(stream: Stream<unknown>, name: string): { partition: number; id: string } {
  const match = /^(\d{1,4})\/(\d{1,18}-\d{1,18})$/.exec(name)
  const partition = Number(match?.[1])
  if (!match || partition >= stream.partitions) {
    throw new SluiceError(
      'USAGE',
      `${JSON.stringify(name)} is no dead letter of ${stream.name}; allowed is partition/id as listed.`,
      { stream: stream.name, name },
    )
  }
  return { partition, id: match[2]! }
}

function toDeadLetter(partition: number, [id, fields]: RawEntry): DeadLetter {
  const field = (name: string) => fieldOf(fields ?? [], name) ?? ''
  return {
    entry: `${partition}/${id}`,
    stream: field('stream'),
    partition,
    group: field('group'),
    originEntry: field('entry'),
    eventId: field('id'),
    key: field('partitionkey'),
    attempts: Number(field('attempts')),
    reason: field('reason'),
    stack: field('stack'),
    time: Number(field('buried')),
    data: field('data'),
  }
}
