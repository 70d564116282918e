// Where a stream and its groups stand. Redis's own `lag` is wrong after trimming, so it is counted from the sequence
// that the publisher writes into every entry.
import type { Redis } from '../redis/index.ts'
import type { GroupStatus, PartitionStatus, StreamStatus } from './bus.ts'
import { entryTime, type RawEntry, sequenceOf } from './codec.ts'
import { countBehind } from './count-behind.ts'
import { countDeadLetters } from './dead-letters.ts'
import { pausedGroups } from './group-control.ts'
import { type GroupFacts, groupsOf } from './groups.ts'
import type { Link } from './link.ts'
import { partitionKeys, partitionsOf, type Stream, streamKeys } from './stream.ts'

/** @param leaseMs a member or owner that has not been heard of for this long is gone. */
export async function statusOf(link: Link, stream: Stream<unknown>, leaseMs: number): Promise<StreamStatus> {
  const client = await link.writer()
  const groups = (await client.smembers(streamKeys(stream.name).groups)).sort()
  const [time, deadLetters, paused] = await Promise.all([
    client.time(),
    countDeadLetters(link, stream),
    pausedGroups(client, stream),
  ])
  const nowMs = Number(time[0]) * 1_000 + Number(time[1]) / 1_000
  const members: Record<string, string[]> = {}
  for (const group of groups)
    members[group] = await client.zrangebyscore(
      streamKeys(stream.name).members(group),
      nowMs - leaseMs,
      '+inf',
    )
  return {
    stream: stream.name,
    partitions: await Promise.all(
      partitionsOf(stream).map((partition) => partitionStatus(client, stream, partition, nowMs, paused)),
    ),
    deadLetters,
    members,
  }
}

async function partitionStatus(
  client: Redis,
  stream: Stream<unknown>,
  partition: number,
  nowMs: number,
  paused: ReadonlySet<string>,
): Promise<PartitionStatus> {
  const keys = partitionKeys(stream.name, partition)
  const [length, sequence] = await Promise.all([
    client.xlen(keys.entries),
    client.hget(keys.meta, 'sequence'),
  ])
  const lastSequence = Number(sequence ?? 0)
  const groups = await Promise.all(
    (await groupsOf(client, keys.entries)).map(async (facts) => {
      const group = await groupStatus(client, stream, partition, facts, lastSequence, nowMs)
      return { ...group, paused: paused.has(group.group) }
    }),
  )
  return { partition, length, lastSequence, groups }
}

async function groupStatus(
  client: Redis,
  stream: Stream<unknown>,
  partition: number,
  { name: group, delivered, behind: counted }: GroupFacts,
  lastSequence: number,
  nowMs: number,
): Promise<Omit<GroupStatus, 'paused'>> {
  const keys = partitionKeys(stream.name, partition)
  const [summary, [owner, epoch, until], undelivered] = await Promise.all([
    client.xpending(keys.entries, group) as Promise<[number, string | null, string | null, unknown]>,
    client.hmget(keys.lease(group), 'owner', 'epoch', 'until'),
    client.xrange(keys.entries, `(${delivered}`, '+', 'COUNT', 1),
  ])
  const pending = Number(summary[0])
  const oldest = pending > 0 ? String(summary[1]) : undefined
  const first = oldest ? (await client.xrange(keys.entries, oldest, oldest))[0] : undefined
  const standsAt = (first ?? undelivered[0]) as RawEntry | undefined
  const age = oldest ?? undelivered[0]?.[0]
  const sequence = standsAt ? sequenceOf(standsAt) : 0
  const behind = async () => {
    // What outside programs add carries no sequence. Redis counts it from 7.0 on, unless somebody deleted entries.
    const count = counted ?? (await countBehind(client, keys.entries, delivered, '+')).count
    return standsAt ? Number(count) + pending : 0
  }
  return {
    group,
    pending,
    lag: Math.max(sequence > 0 ? lastSequence - sequence + 1 : await behind(), pending),
    oldestMs: age ? Math.max(0, nowMs - entryTime(age)) : 0,
    owner: owner && Number(until) > nowMs ? owner : undefined,
    epoch: Number(epoch ?? 0),
  }
}
