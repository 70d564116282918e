// Consumer groups. Trimming waits for every group that is registered and for every one that exists.

import { messageOf } from '../kernel/index.ts'
import type { Redis } from '../redis/index.ts'
import { isWrongType } from '../redis/index.ts'
import { insist, type Link } from './link.ts'
import { healTypes } from './move-aside.ts'
import { replyFacts } from './reply.ts'
import { partitionKeys, partitionsOf, type Stream, streamKeys } from './stream.ts'

export interface GroupOptions {
  readonly stream: Stream<unknown>
  readonly group: string
  /** Where a new group begins. */
  readonly from: 'start' | 'end'
}

export interface GroupFacts {
  readonly name: string
  /** The last entry that it was ever given. */
  readonly delivered: string
  /** Entries behind that as Redis counts them; undefined before 7.0, null when it cannot tell. */
  readonly behind: unknown
}

/** The groups of one partition; none when its stream is not there. */
export async function groupsOf(client: Redis, entries: string): Promise<GroupFacts[]> {
  const infos = await client.xinfo('GROUPS', entries).catch((error) => {
    if (messageOf(error).includes('no such key')) return []
    throw error
  })
  return (infos as unknown[]).map((info) => {
    const facts = replyFacts(info)
    const [name, delivered] = [String(facts['name']), String(facts['last-delivered-id'])]
    return { name, delivered, behind: facts['lag'] }
  })
}

/** True when it did not exist. */
async function createGroup(
  client: Redis,
  { stream, group }: GroupOptions,
  partition: number,
  start: '0' | '$',
): Promise<boolean> {
  try {
    await client.xgroup('CREATE', partitionKeys(stream.name, partition).entries, group, start, 'MKSTREAM')
    return true
  } catch (error) {
    if (!messageOf(error).startsWith('BUSYGROUP')) throw error
    return false
  }
}

/** Opens it as soon as the server answers; what another program left in the way is moved aside first. */
export async function openGroupSurely(link: Link, options: GroupOptions, signal: AbortSignal): Promise<void> {
  const open = () =>
    insist(link, `group ${options.group}`, signal, (client) => openGroup(client, link, options))
  try {
    await open()
  } catch (error) {
    if (!isWrongType(error)) throw error
    await healTypes(link, options.stream, options.group)
    await open()
  }
}

/** Creates the group in every partition, then registers it: what was registered before is no new group. */
async function openGroup(client: Redis, link: Link, options: GroupOptions): Promise<void> {
  const { stream, group, from } = options
  const { groups } = streamKeys(stream.name)
  const partitions = partitionsOf(stream)
  if ((await client.sismember(groups, group)) === 1) return healGroup(client, link, options, partitions)
  const start = from === 'start' ? '0' : '$'
  await Promise.all(partitions.map((partition) => createGroup(client, options, partition, start)))
  await client.sadd(groups, group)
}

/**
 * Makes a group that vanished again, from the beginning: what it handled before comes again and is recognised by its
 * event ids; from the end it would be lost. Says so when there was something to make.
 */
export async function healGroup(
  client: Redis,
  link: Link,
  options: GroupOptions,
  partitions: readonly number[],
): Promise<void> {
  const { stream, group } = options
  const made = await Promise.all(
    partitions.map((partition) => createGroup(client, options, partition, '0').catch(unlessFull)),
  )
  await client.sadd(streamKeys(stream.name).groups, group).catch(unlessFull)
  const reason = 'the group had vanished; it begins again at the oldest entry'
  for (const [i, partition] of partitions.entries()) {
    if (made[i]) link.events.emit('lost', { stream: stream.name, group, partition, count: 0, reason })
  }
}

/**
 * Redis that is full refuses to create even what exists, and only consumers can make room; a group that is really
 * missing shows itself at the next read.
 */
export function unlessFull(error: unknown): undefined {
  if (!messageOf(error).startsWith('OOM')) throw error
}
