// Entries that no attempt could handle. They are moved and acknowledged in one script, with what is needed to
// understand and to repeat them, and wait in a stream beside their origin until a person replays or drops them.
import { SluiceError } from '../kernel/index.ts'
import { runScript } from '../redis/index.ts'
import type { DeadLetter } from './bus.ts'
import { fieldOf, type RawEntry } from './codec.ts'
import { insist, type Link } from './link.ts'
import { BURY, REVIVE } from './scripts.ts'
import { partitionKeys, type Stream } from './stream.ts'

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
    time: field('time'),
    partitionkey: field('partitionkey'),
    traceparent: field('traceparent'),
    attempts,
    reason: reason.slice(0, 1_000),
    stack: (stack ?? '').slice(0, 4_000),
    buried: link.clock.now(),
    data: field('data'),
  }
  const args = [lease?.owner ?? '', lease?.epoch ?? '', group, entry, ...Object.entries(told).flat()]
  const moved = await insist(link, `dead letter of ${stream.name}`, signal, (client) =>
    runScript(client, BURY, [keys.lease(group), keys.entries, keys.dead], args),
  )
  if (moved !== '') link.events.emit('deadLettered', { stream: stream.name, group, entry, attempts, reason })
}

/** Newest first over all partitions. */
export async function listDeadLetters(
  link: Link,
  stream: Stream<unknown>,
  limit: number,
): Promise<DeadLetter[]> {
  const client = await link.writer()
  const lists = await Promise.all(
    Array.from({ length: stream.partitions }, async (_, partition) => {
      const raw = await client.xrevrange(partitionKeys(stream.name, partition).dead, '+', '-', 'COUNT', limit)
      return raw.map((entry) => toDeadLetter(partition, entry as RawEntry))
    }),
  )
  return lists
    .flat()
    .sort((a, b) => b.time - a.time)
    .slice(0, limit)
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
  const data = edited ?? letter.data
  checkEdited(stream, data)
  const type = fieldOf(raw[1], 'type') || stream.name
  const time = fieldOf(raw[1], 'time') || String(letter.time)
  const fields = { id: letter.eventId, source: link.source, type, time, partitionkey: letter.key }
  const traceparent = fieldOf(raw[1], 'traceparent') ?? ''
  const args = [id, letter.group, ...Object.entries({ ...fields, traceparent, data }).flat()]
  return (await runScript(client, REVIVE, [keys.entries, keys.meta, keys.dead], args)) !== ''
}

function checkEdited(stream: Stream<unknown>, data: string): void {
  let value: unknown
  try {
    value = JSON.parse(data)
  } catch (error) {
    throw new SluiceError('PAYLOAD_INVALID', `The payload is not JSON: ${(error as Error).message}`)
  }
  const parsed = stream.shape.safeParse(value)
  if (parsed.success) return
  const issue = parsed.error.issues[0]
  throw new SluiceError('PAYLOAD_INVALID', `${issue?.path.join('.') || 'data'}: ${issue?.message}`, {
    stream: stream.name,
  })
}

export async function dropDeadLetter(link: Link, stream: Stream<unknown>, name: string): Promise<boolean> {
  const { partition, id } = parseName(stream, name)
  const client = await link.writer()
  return (await client.xdel(partitionKeys(stream.name, partition).dead, id)) === 1
}

export async function countDeadLetters(link: Link, stream: Stream<unknown>): Promise<number> {
  const client = await link.writer()
  const partitions = Array.from({ length: stream.partitions }, (_, p) => partitionKeys(stream.name, p).dead)
  const lengths = await Promise.all(partitions.map((key) => client.xlen(key)))
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
