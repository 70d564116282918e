// Ownership of partitions. A member joins the group's list, takes the leases of the partitions that are its own by
// assignment, renews them, and gives up those that are assigned to another: it stops reading, finishes, acknowledges
// and only then releases. An owner that cannot renew stops by its own monotonic clock before its lease runs out.
import { afterMs, messageOf, type Task } from '../kernel/index.ts'
import { runScript } from '../redis/index.ts'
import { assign } from './assignment.ts'
import { ensureGroup, openGroup } from './groups.ts'
import { consumerName, insist, isFenced, type Link } from './link.ts'
import { ACQUIRE, JOIN, RELEASE, RENEW } from './scripts.ts'
import { partitionKeys, type Stream, streamKeys } from './stream.ts'

export interface Owned {
  readonly partition: number
  /** The consumer's name in the group and the lease's owner. */
  readonly owner: string
  readonly epoch: number
  /** Take no more; finish what is held. */
  readonly stopping: AbortSignal
  /** It is another's: whatever is unfinished is no longer ours. */
  readonly lost: AbortSignal
  /** Called by whoever was refused by an epoch. */
  readonly giveUp: (reason: string) => void
}

export interface OwnershipOptions {
  readonly stream: Stream<unknown>
  readonly group: string
  readonly from: 'start' | 'end'
  readonly leaseMs: number
}

interface Holding extends Owned {
  readonly stop: AbortController
  readonly lose: AbortController
  work: Promise<void>
  /** Monotonic time up to which the lease is certainly ours. */
  validUntil: number
}

/** Runs `work` for each partition while it is owned. Rejects with the first error of any work. */
export function ownPartitions(
  link: Link,
  options: OwnershipOptions,
  work: (owned: Owned) => Promise<void>,
): Task {
  return async (signal) => {
    const member = consumerName(link)
    const held = new Map<number, Holding>()
    const failed = new AbortController()
    const until = AbortSignal.any([signal, failed.signal])
    await insist(link, `group ${options.group}`, signal, (client) =>
      openGroup(client, options.stream, options.group, options.from),
    ).catch(ignoreWhen(signal))
    while (!until.aborted) {
      await turn(link, options, member, held, work, failed).catch((error) => {
        link.events.emit('disturbed', { where: `leases of ${options.group}`, reason: messageOf(error) })
      })
      await link.clock.sleep(options.leaseMs / 4, until)
    }
    for (const holding of held.values()) holding.stop.abort()
    const renewing = keepRenewing(link, options, held)
    await Promise.all([...held.values()].map((holding) => holding.work))
    renewing.stop()
    await leave(link, options, member, held)
    if (failed.signal.aborted) throw failed.signal.reason
  }
}

/** One heartbeat: who is here, what is mine, renew, hand over, take. */
async function turn(
  link: Link,
  options: OwnershipOptions,
  member: string,
  held: Map<number, Holding>,
  work: (owned: Owned) => Promise<void>,
  failed: AbortController,
): Promise<void> {
  const { stream, group, leaseMs } = options
  const client = await link.writer()
  const members = (await runScript(
    client,
    JOIN,
    [streamKeys(stream.name).members(group)],
    [member, leaseMs],
  )) as string[]
  const mine = new Set(assign(members, stream.partitions).get(member) ?? [])
  await renewAll(link, options, held)
  for (const holding of held.values()) {
    if (mine.has(holding.partition) || holding.stop.signal.aborted) continue
    holding.stop.abort()
    holding.work.then(() => release(link, options, held, holding)).catch(() => {})
  }
  for (const partition of mine) {
    if (held.has(partition)) continue
    await take(link, options, member, held, partition, work, failed)
  }
}

async function take(
  link: Link,
  { stream, group, leaseMs, from }: OwnershipOptions,
  owner: string,
  held: Map<number, Holding>,
  partition: number,
  work: (owned: Owned) => Promise<void>,
  failed: AbortController,
): Promise<void> {
  const client = await link.writer()
  // Before the request: the lease may have begun at any moment since.
  const asked = link.clock.monotonic()
  const lease = partitionKeys(stream.name, partition).lease(group)
  const epoch = Number(await runScript(client, ACQUIRE, [lease], [owner, leaseMs]))
  if (epoch === 0) return
  await ensureGroup(client, stream, partition, group, from)
  const stop = new AbortController()
  const lose = new AbortController()
  const giveUp = (reason: string) => {
    if (lose.signal.aborted) return
    link.events.emit('fenced', { stream: stream.name, group, partition, epoch })
    stop.abort(new Error(reason))
    lose.abort(new Error(reason))
  }
  const owned = { partition, owner, epoch, stopping: stop.signal, lost: lose.signal, giveUp }
  const holding: Holding = { ...owned, stop, lose, validUntil: asked + leaseMs, work: Promise.resolve() }
  held.set(partition, holding)
  guard(link, holding)
  holding.work = work(owned)
    .catch((error) => {
      if (lose.signal.aborted || isFenced(error)) giveUp(messageOf(error))
      else failed.abort(error)
    })
    .finally(() => {
      if (lose.signal.aborted) held.delete(partition)
    })
}

/** Gives the partition up at the moment its lease can no longer be trusted, whatever Redis says or does not say. */
function guard(link: Link, holding: Holding): void {
  let cancel = () => {}
  const look = () => {
    const left = holding.validUntil - link.clock.monotonic()
    if (left > 0) cancel = afterMs(left, look)
    else holding.giveUp('the lease ran out')
  }
  look()
  holding.lost.addEventListener('abort', () => cancel(), { once: true })
}

async function renewAll(
  link: Link,
  { stream, group, leaseMs }: OwnershipOptions,
  held: Map<number, Holding>,
) {
  const client = await link.writer()
  const renewals = [...held.values()].map(async (holding) => {
    const asked = link.clock.monotonic()
    const lease = partitionKeys(stream.name, holding.partition).lease(group)
    try {
      await runScript(client, RENEW, [lease], [holding.owner, holding.epoch, leaseMs])
      holding.validUntil = asked + leaseMs
    } catch (error) {
      if (isFenced(error)) holding.giveUp('another owner took the partition')
      else throw error
    }
  })
  await Promise.all(renewals)
}

/** While the last work finishes, its leases must not run out. */
function keepRenewing(link: Link, options: OwnershipOptions, held: Map<number, Holding>): { stop(): void } {
  const done = new AbortController()
  void (async () => {
    while (!done.signal.aborted && held.size > 0) {
      await renewAll(link, options, held).catch((error) => {
        link.events.emit('disturbed', { where: `leases of ${options.group}`, reason: messageOf(error) })
      })
      await link.clock.sleep(options.leaseMs / 4, done.signal)
    }
  })()
  return { stop: () => done.abort() }
}

async function release(
  link: Link,
  { stream, group }: OwnershipOptions,
  held: Map<number, Holding>,
  holding: Holding,
): Promise<void> {
  const { partition, owner, epoch } = holding
  // From here on the guard must not report a loss: the partition is given away on purpose.
  held.delete(partition)
  const wasLost = holding.lost.aborted
  holding.lose.abort(new Error('released'))
  if (wasLost) return
  const lease = partitionKeys(stream.name, partition).lease(group)
  try {
    await runScript(await link.writer(), RELEASE, [lease], [owner, epoch])
    link.events.emit('handedOver', { stream: stream.name, group, partition, epoch })
  } catch (error) {
    // The lease then ends by itself.
    link.events.emit('disturbed', { where: `lease of ${group}`, reason: messageOf(error) })
  }
}

async function leave(link: Link, options: OwnershipOptions, member: string, held: Map<number, Holding>) {
  await Promise.all([...held.values()].map((holding) => release(link, options, held, holding)))
  try {
    const client = await link.writer()
    await client.zrem(streamKeys(options.stream.name).members(options.group), member)
  } catch (error) {
    link.events.emit('disturbed', { where: `members of ${options.group}`, reason: messageOf(error) })
  }
}

const ignoreWhen = (signal: AbortSignal) => (error: unknown) => {
  if (!signal.aborted) throw error
}
