// Ownership of partitions. A member joins the group's list, takes the leases of the partitions that are its own by
// assignment, renews them, and gives up those that are assigned to another: it stops reading, finishes, acknowledges
// and only then releases. An owner that cannot renew stops by its own monotonic clock before its lease runs out.
import { afterMs, isSluiceError, messageOf, type Task } from '../kernel/index.ts'
import { type Redis, runScript, type Wake } from '../redis/index.ts'
import { assign } from './assignment.ts'
import type { Ownership } from './bus.ts'
import { type GroupOptions, healGroup, openGroupSurely, unlessFull } from './groups.ts'
import { consumerName, isFenced, isNoGroup, isPassing, type Link, unlessAborted } from './link.ts'
import { healTypes, isWrongType } from './move-aside.ts'
import { type Pause, watchPause } from './pause.ts'
import { ACQUIRE, JOIN, LEAVE, RELEASE, RENEW } from './scripts.ts'
import { partitionKeys, streamKeys } from './stream.ts'

export interface Owned {
  readonly partition: number
  readonly ownership: Ownership
  /** The consumer's name in the group and the lease's owner. */
  readonly owner: string
  readonly epoch: number
  /** The highest sequence that the group had read before; 0 when nobody knows. */
  readonly seen: number
  /** Take no more; finish what is held. */
  readonly stopping: AbortSignal
  /** It is another's: whatever is unfinished is no longer ours. */
  readonly lost: AbortSignal
  /**
   * False from the moment at which the lease may have run out, whether or not a timer has noticed: after a pause of
   * the process its pending callbacks may run before any timer.
   */
  readonly isValid: () => boolean
  /** Whether the group takes anything at present. */
  readonly pause: Pause
  /** Ends the ownership; `error` is what refused it. */
  readonly giveUp: (error: unknown) => void
}

export interface OwnershipOptions extends GroupOptions {
  readonly leaseMs: number
}

interface Holding extends Owned {
  readonly stop: AbortController
  readonly lose: AbortController
  work: Promise<void>
  /** Monotonic time up to which the lease is certainly ours. */
  validUntil: number
}

interface Membership {
  readonly link: Link
  /** Rings when a member comes or goes, or a partition is given away. */
  readonly wake: Wake
  readonly pause: Pause
  readonly options: OwnershipOptions
  readonly member: string
  readonly held: Map<number, Holding>
  /** The next epoch of a partition is at least this: a database has seen a higher one than Redis remembers. */
  readonly leastEpochs: Map<number, number>
  /** Monotonic time of the last renewal of all leases. */
  renewedAt: number
  readonly work: (owned: Owned) => Promise<void>
  readonly failed: AbortController
  /** No partition is taken once it aborts. */
  readonly until: AbortSignal
}

// A lease that has just run out may be renewed in the same moment: no more often than this.
const LOOK_AGAIN_MS = 10
// What leaving may cost when the server is away; the leases then run out by themselves.
const LEAVE_MS = 1_000

/** Runs `work` for each partition while it is owned. Rejects with the first error of any work. */
export function ownPartitions(
  link: Link,
  options: OwnershipOptions,
  work: (owned: Owned) => Promise<void>,
): Task {
  return async (signal) => {
    const failed = new AbortController()
    const until = AbortSignal.any([signal, failed.signal])
    const pause = watchPause(link, options, until)
    const wake = link.wakes.watch(streamKeys(options.stream.name).moved(options.group))
    const membership: Membership = {
      ...{ link, options, work, failed, until, wake, pause, renewedAt: 0 },
      member: consumerName(link),
      held: new Map(),
      leastEpochs: new Map(),
    }
    const { held } = membership
    await unlessAborted(until, () => openGroupSurely(link, options, until)).catch(ignoreWhen(signal))
    while (!until.aborted) {
      const pauseMs = await unlessAborted(until, () => turn(membership)).catch((error) => {
        if (until.aborted) return 0
        return recover(membership, error)
      })
      await wake.next(Math.max(pauseMs, LOOK_AGAIN_MS), until)
    }
    wake.close()
    for (const holding of held.values()) holding.stop.abort()
    const renewing = keepRenewing(membership)
    await Promise.all([...held.values()].map((holding) => holding.work))
    renewing.stop()
    await Promise.race([leave(membership), link.clock.sleep(LEAVE_MS)])
    if (failed.signal.aborted) throw failed.signal.reason
  }
}

/** Answers when to look again, ms. */
async function recover({ link, options, failed }: Membership, error: unknown): Promise<number> {
  const { stream, group, leaseMs } = options
  const where = `leases of ${group}`
  link.events.emit('disturbed', { where, reason: messageOf(error) })
  if (isWrongType(error)) {
    const heal = healTypes(link, stream, group)
    await heal.catch((reason) => link.events.emit('disturbed', { where, reason: messageOf(reason) }))
  } else if (!isPassing(error) && !isFenced(error) && !isNoGroup(error)) failed.abort(error)
  return leaseMs / 4
}

/** One heartbeat: who is here, what is mine, renew, hand over, take. Answers when to look again, ms. */
async function turn(membership: Membership): Promise<number> {
  const { link, options, member, held, until } = membership
  const { stream, group, leaseMs } = options
  const client = await link.writer()
  const names = streamKeys(stream.name)
  // Woken by others it may be early.
  if (link.clock.monotonic() - membership.renewedAt >= leaseMs / 5) await renewAll(membership)
  const [[livesMs, ...members]] = await Promise.all([
    runScript(client, JOIN, [names.members(group)], [member, leaseMs, names.moved(group)]) as Promise<
      [number, ...string[]]
    >,
    // A flushed server has forgotten it, and trimming would no longer wait for us.
    client.sadd(names.groups, group).catch(unlessFull),
  ])
  if (until.aborted) return 0
  const mine = new Set(assign(members, stream.partitions).get(member) ?? [])
  for (const holding of held.values()) {
    if (mine.has(holding.partition) || holding.stop.signal.aborted) continue
    holding.stop.abort()
    holding.work.then(() => release(membership, holding)).catch(() => {})
  }
  const wanted = [...mine].filter((partition) => !held.has(partition))
  const free = await Promise.all(wanted.map((partition) => take(membership, partition)))
  // At the moment at which a silent member or its lease ends, and not up to a quarter of a lease later.
  return Math.min(leaseMs / 4, livesMs + 1, ...free.map((freeInMs) => freeInMs + 1))
}

/** Answers how long the lease is still another's, ms; infinity once there is nothing to wait for. */
async function take(membership: Membership, partition: number): Promise<number> {
  const { link, options, member: owner, held, work, failed, until } = membership
  const { stream, group, leaseMs } = options
  const client = await link.writer()
  // Before the request: the lease may have begun at any moment since.
  const asked = link.clock.monotonic()
  const keys = partitionKeys(stream.name, partition)
  const lease = keys.lease(group)
  const args = [owner, leaseMs, membership.leastEpochs.get(partition) ?? 0, group, keys.gate(group, '')]
  const [epoch, seen] = (await runScript(client, ACQUIRE, [lease], args)) as [number, number]
  if (epoch === 0) return seen
  await healGroup(client, link, options, [partition])
  if (until.aborted) {
    // Too late to be used. Where this fails the lease runs out by itself.
    await giveBack(client, options, partition, owner, epoch).catch(() => {})
    return Number.POSITIVE_INFINITY
  }
  const stop = new AbortController()
  const lose = new AbortController()
  const giveUp = (error: unknown) => {
    if (lose.signal.aborted) return
    const fact = { stream: stream.name, group, partition }
    // The database has seen a later epoch than Redis gives: Redis has lost some, and goes on above it.
    if (isSluiceError(error) && typeof error.facts['latest'] === 'number') {
      membership.leastEpochs.set(partition, error.facts['latest'] + 1)
    }
    if (isWrongType(error)) {
      // What was in the way has been told.
    } else if (isNoGroup(error) || messageOf(error).includes('lease vanished')) {
      const reason = `keys of the partition vanished (was Redis flushed?): ${messageOf(error)}`
      link.events.emit('lost', { ...fact, count: 0, reason })
    } else link.events.emit('fenced', { ...fact, epoch })
    stop.abort(error)
    lose.abort(error)
  }
  const holding: Holding = {
    ...{ partition, owner, epoch, seen, stop, lose, giveUp },
    ownership: { resource: `${stream.name}/${partition}/${group}`, epoch, owner },
    pause: membership.pause,
    stopping: stop.signal,
    lost: lose.signal,
    isValid: () => !lose.signal.aborted && link.clock.monotonic() < holding.validUntil,
    validUntil: asked + leaseMs,
    work: Promise.resolve(),
  }
  held.set(partition, holding)
  guard(link, holding)
  holding.work = work(holding)
    .catch(async (error) => {
      if (!lose.signal.aborted && isWrongType(error)) await recover(membership, error)
      if (lose.signal.aborted || isFenced(error) || isNoGroup(error) || isWrongType(error)) giveUp(error)
      else failed.abort(error)
    })
    .finally(() => {
      if (lose.signal.aborted) held.delete(partition)
    })
  return Number.POSITIVE_INFINITY
}

/** Gives the partition up at the moment its lease can no longer be trusted, whatever Redis says or does not say. */
function guard(link: Link, holding: Holding): void {
  let cancel = () => {}
  const look = () => {
    const left = holding.validUntil - link.clock.monotonic()
    if (left > 0) cancel = afterMs(left, look)
    else holding.giveUp(new Error('FENCED the lease ran out'))
  }
  look()
  holding.lost.addEventListener('abort', () => cancel(), { once: true })
}

async function renewAll(membership: Membership): Promise<void> {
  const { link, options, held } = membership
  const { stream, group, leaseMs } = options
  const client = await link.writer()
  membership.renewedAt = link.clock.monotonic()
  const renewals = [...held.values()].map(async (holding) => {
    const asked = link.clock.monotonic()
    const lease = partitionKeys(stream.name, holding.partition).lease(group)
    try {
      await runScript(client, RENEW, [lease], [holding.owner, holding.epoch, leaseMs])
      holding.validUntil = asked + leaseMs
    } catch (error) {
      if (isFenced(error)) holding.giveUp(error)
      else throw error
    }
  })
  await Promise.all(renewals)
}

/** While the last work finishes, its leases must not run out. */
function keepRenewing(membership: Membership): { stop(): void } {
  const { link, options, held } = membership
  const done = new AbortController()
  void (async () => {
    while (!done.signal.aborted && held.size > 0) {
      await renewAll(membership).catch((error) => {
        link.events.emit('disturbed', { where: `leases of ${options.group}`, reason: messageOf(error) })
      })
      await link.clock.sleep(options.leaseMs / 4, done.signal)
    }
  })()
  return { stop: () => done.abort() }
}

async function release({ link, options, held }: Membership, holding: Holding): Promise<void> {
  const { stream, group } = options
  const { partition, owner, epoch } = holding
  const wasLost = holding.lost.aborted
  // From here on the guard must not report a loss: the partition is given away on purpose.
  if (held.get(partition) === holding) held.delete(partition)
  holding.lose.abort(new Error('released'))
  if (wasLost) return
  try {
    await giveBack(await link.writer(), options, partition, owner, epoch)
    link.events.emit('handedOver', { stream: stream.name, group, partition, epoch })
  } catch (error) {
    // The lease then ends by itself.
    link.events.emit('disturbed', { where: `lease of ${group}`, reason: messageOf(error) })
  }
}

async function giveBack(
  client: Redis,
  { stream, group }: OwnershipOptions,
  partition: number,
  owner: string,
  epoch: number,
): Promise<void> {
  const keys = partitionKeys(stream.name, partition)
  const args = [owner, epoch, streamKeys(stream.name).moved(group), keys.gate(group, epoch)]
  await runScript(client, RELEASE, [keys.lease(group)], args)
}

async function leave(membership: Membership): Promise<void> {
  const { link, options, member, held } = membership
  await Promise.all([...held.values()].map((holding) => release(membership, holding)))
  try {
    const { members, moved } = streamKeys(options.stream.name)
    const { group } = options
    await runScript(await link.writer(), LEAVE, [members(group)], [member, moved(group)])
  } catch (error) {
    link.events.emit('disturbed', { where: `members of ${options.group}`, reason: messageOf(error) })
  }
}

const ignoreWhen = (signal: AbortSignal) => (error: unknown) => {
  if (!signal.aborted) throw error
}
