// A fold: state and entry in, state and outputs out, in the order of the partition. Its checkpoint (state, and the
// entry it stands at) moves in the script that acknowledges. Whoever takes over loads it and applies what the stream
// holds after it, acknowledged or not: outputs that were already said carry the same ids and are recognised.
import { messageOf, type Task } from '../kernel/index.ts'
import { runScript } from '../redis/index.ts'
import type { Entry, FoldOptions, Outgoing, Receipt } from './bus.ts'
import { compareIds, decodeEntry, type RawEntry } from './codec.ts'
import { bury } from './dead-letters.ts'
import { insist, isPassing, type Link } from './link.ts'
import { type Owned, ownPartitions } from './ownership.ts'
import { openPartitionReader } from './partition-reader.ts'
import { replyFacts } from './reply.ts'
import { ACKNOWLEDGE } from './scripts.ts'
import { partitionKeys } from './stream.ts'

const BATCH = 500
// A checkpoint for each acknowledgement would write the state of a board (about 3 KB) up to 100 times a second into
// the AOF; once a second costs a second of reading back after a crash.
const CHECKPOINT_MS = 1_000

export type PublishAll = (events: readonly Outgoing[]) => Promise<Receipt[]>

interface Progress<S> {
  state: S
  /** The last entry applied, and its sequence. */
  at: string
  sequence: number
}

export function fold<T, S>(
  link: Link,
  publish: PublishAll,
  options: FoldOptions<T, S>,
  leaseMs: number,
): Task {
  const { stream, group, from = 'start' } = options
  return ownPartitions(link, { stream, group, from, leaseMs }, async (owned) => {
    const reader = openPartitionReader(link, { stream, group, from }, owned)
    try {
      const progress = await restore(link, publish, options, owned)
      let savedAt = link.clock.monotonic()
      let saved = progress.at
      while (!owned.stopping.aborted) {
        const delivered = await reader.next(BATCH)
        if (delivered.length === 0) break
        const raws = delivered.map(({ raw }) => raw)
        await applyAll(link, publish, options, owned, progress, raws)
        const due = link.clock.monotonic() - savedAt > CHECKPOINT_MS
        await acknowledge(
          link,
          options,
          owned,
          progress,
          due,
          raws.map(([id]) => id),
        )
        if (!due) continue
        savedAt = link.clock.monotonic()
        saved = progress.at
      }
      if (saved !== progress.at && !owned.lost.aborted)
        await acknowledge(link, options, owned, progress, true, [])
    } finally {
      await reader.close()
    }
  })
}

/** The state after everything that any owner has acknowledged. */
async function restore<T, S>(
  link: Link,
  publish: PublishAll,
  options: FoldOptions<T, S>,
  owned: Owned,
): Promise<Progress<S>> {
  const { stream, group, start, load } = options
  const keys = partitionKeys(stream.name, owned.partition)
  const where = `${stream.name}/${owned.partition} for ${group}`
  const [state, at, sequence] = await insist(link, where, owned.lost, (client) =>
    client.hmget(keys.checkpoint(group), 'state', 'at', 'sequence'),
  )
  const acknowledged = await lastDelivered(link, options, owned)
  const progress: Progress<S> = { state: start(), at: acknowledged, sequence: 0 }
  if (!state || !at) {
    // The beginning is a checkpoint too: a crash before the first one must not skip what was acknowledged by then.
    await acknowledge(link, options, owned, progress, true, [])
    return progress
  }
  try {
    progress.state = load(state)
    progress.at = at
    progress.sequence = Number(sequence)
  } catch (error) {
    const fact = { stream: stream.name, group, partition: owned.partition, count: 0 }
    link.events.emit('lost', { ...fact, reason: `the checkpoint cannot be read: ${messageOf(error)}` })
    return progress
  }
  while (compareIds(progress.at, acknowledged) < 0 && !owned.stopping.aborted) {
    const raws = await insist(link, where, owned.lost, (client) =>
      client.xrange(keys.entries, `(${progress.at}`, acknowledged, 'COUNT', BATCH),
    )
    if (raws.length === 0) break
    await applyAll(link, publish, options, owned, progress, raws as RawEntry[])
  }
  return progress
}

async function lastDelivered<T, S>(
  link: Link,
  { stream, group }: FoldOptions<T, S>,
  owned: Owned,
): Promise<string> {
  const { entries } = partitionKeys(stream.name, owned.partition)
  const groups = (await insist(link, stream.name, owned.lost, (client) =>
    client.xinfo('GROUPS', entries),
  )) as unknown[]
  for (const info of groups) {
    const fact = replyFacts(info)
    if (fact['name'] === group) return String(fact['last-delivered-id'])
  }
  return '0-0'
}

async function applyAll<T, S>(
  link: Link,
  publish: PublishAll,
  options: FoldOptions<T, S>,
  owned: Owned,
  progress: Progress<S>,
  raws: readonly RawEntry[],
): Promise<void> {
  const { stream, group, apply } = options
  const began = link.clock.monotonic()
  const events: Outgoing[] = []
  const tell: { channel: string; message: string }[] = []
  for (const raw of raws) {
    // Read back during the restoration and held by the group as well: applied once.
    if (compareIds(raw[0], progress.at) <= 0) continue
    const entry = await readable(link, options, owned, raw)
    if (entry) {
      reportGap(link, options, owned, progress, entry)
      const output = apply(progress.state, entry)
      events.push(...output.events)
      if (output.tell) tell.push(...output.tell)
      progress.sequence = entry.sequence
    }
    progress.at = raw[0]
  }
  await say(link, publish, owned, events)
  const client = tell.length > 0 ? await link.writer().catch(() => undefined) : undefined
  for (const { channel, message } of tell) client?.publish(channel, message).catch(() => {})
  link.events.emit('handled', {
    stream: stream.name,
    group,
    count: raws.length,
    tookMs: link.clock.monotonic() - began,
  })
}

async function readable<T, S>(
  link: Link,
  { stream, group }: FoldOptions<T, S>,
  owned: Owned,
  raw: RawEntry,
): Promise<Entry<T> | undefined> {
  if (raw[1] === null) {
    const fact = { stream: stream.name, group, partition: owned.partition, count: 1 }
    link.events.emit('lost', { ...fact, reason: 'deleted while it was pending' })
    return undefined
  }
  const decoded = decodeEntry(stream, owned.partition, raw, 1)
  if (decoded.ok) return decoded.to === undefined || decoded.to === group ? decoded.entry : undefined
  const burial = { stream, group, partition: owned.partition, lease: owned, raw, attempts: 1 }
  await bury(link, { ...burial, reason: decoded.reason }, owned.lost)
  return undefined
}

/** The publisher counts without holes; one here means that entries vanished before they were applied. */
function reportGap<T, S>(
  link: Link,
  { stream, group }: FoldOptions<T, S>,
  owned: Owned,
  progress: Progress<S>,
  entry: Entry<T>,
): void {
  const missing = entry.sequence - progress.sequence - 1
  if (progress.sequence === 0 || entry.sequence === 0 || missing <= 0) return
  const fact = { stream: stream.name, group, partition: owned.partition, count: missing }
  link.events.emit('lost', {
    ...fact,
    reason: `nothing between sequence ${progress.sequence} and ${entry.sequence}`,
  })
}

/** Outputs are never dropped: a full stream or an absent server is waited for, as long as the partition is ours. */
async function say(
  link: Link,
  publish: PublishAll,
  owned: Owned,
  events: readonly Outgoing[],
): Promise<void> {
  for (let attempt = 0; ; attempt++) {
    try {
      await publish(events)
      return
    } catch (error) {
      if (!isPassing(error) || owned.lost.aborted) throw error
      link.events.emit('disturbed', { where: 'output of a fold', reason: messageOf(error) })
      await link.clock.sleep(Math.min(50 * 2 ** attempt, 1_000), owned.lost)
    }
  }
}

async function acknowledge<T, S>(
  link: Link,
  { stream, group, save }: FoldOptions<T, S>,
  owned: Owned,
  progress: Progress<S>,
  withState: boolean,
  ids: readonly string[],
): Promise<void> {
  const keys = partitionKeys(stream.name, owned.partition)
  const state = withState ? save(progress.state) : ''
  const args = [owned.owner, owned.epoch, group, state, progress.at, progress.sequence, ...ids]
  await insist(link, `acknowledging ${stream.name} for ${group}`, owned.lost, (client) =>
    runScript(client, ACKNOWLEDGE, [keys.lease(group), keys.entries, keys.checkpoint(group)], args),
  )
}
