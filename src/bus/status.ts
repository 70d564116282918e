// Where a stream and its groups stand. Redis's own `lag` is wrong after trimming, so it is counted from the sequence
// that the publisher writes into every entry.
import type { Redis } from '../redis/index.ts'
import type { GroupStatus, PartitionStatus, StreamStatus } from './bus.ts'
import { entryTime, type RawEntry, sequenceOf } from './codec.ts'
import { countBehind } from './count-behind.ts'
import { countDeadLetters } from './dead-letters.ts'
import { pausedGroups } from './group-control.ts'
import type { Link } from './link.ts'
import { replyFacts } from './reply.ts'
import { partitionKeys, type Stream, streamKeys } from './stream.ts'

/** @param leaseMs a member or owner that has not been heard of for this long is gone. */
export async function statusOf(link: Link, stream: Stream<unknown>, leaseMs: number): Promise<StreamStatus> {
  const client = await link.writer()
  const groups = (await client.smembers(streamKeys(stream.name).groups)).sort()
  const [time, deadLetters, paused, ...partitions] = await Promise.all([
    client.time(),
    countDeadLetters(link, stream),
    pausedGroups(client, stream),
    ...Array.from({ length: stream.partitions }, (_, p) => p),
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
    partitions: await Promise.all(partitions.map((p) => partitionStatus(client, stream, p, nowMs, paused))),
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
  const exists = (await client.exists(keys.entries)) === 1
  const infos = exists ? ((await client.xinfo('GROUPS', keys.entries)) as unknown[]) : []
  const groups = await Promise.all(
    infos.map(async (info) => {
      const group = await groupStatus(client, stream, partition, replyFacts(info), lastSequence, nowMs)
      return { ...group, paused: paused.has(group.group) }
    }),
  )
  return { partition, length, lastSequence, groups }
}

async function groupStatus(
  client: Redis,
  stream: Stream<unknown>,
  partition: number,
  info: Record<string, unknown>,
  lastSequence: number,
  nowMs: number,
): Promise<Omit<GroupStatus, 'paused'>> {
  const keys = partitionKeys(stream.name, partition)
  const group = String(info['name'])
  const delivered = String(info['last-delivered-id'])
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
    const counted = info['lag'] ?? (await countBehind(client, keys.entries, delivered, '+')).count
    return standsAt ? Number(counted) + pending : 0
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
