// One partition's lease: taken, renewed, guarded by the monotonic clock, given back.
import { afterMs, isSluiceError, messageOf } from '../kernel/index.ts'
import { isWrongType, type Redis, runScript, type Wake, watchLine } from '../redis/index.ts'
import type { Ownership } from './bus.ts'
import { type GroupOptions, healGroup } from './groups.ts'
import { disturb, isFenced, isNoGroup, type Link } from './link.ts'
import { healTypes } from './move-aside.ts'
import type { Pause } from './pause.ts'
import { ACQUIRE, RELEASE, RENEW } from './scripts.ts'
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
  /**
   * Finishes what is held, gives the partition back, and takes it again with all that is pending: what Redis answered
   * last may be forgotten.
   */
  readonly beginAnew: () => void
  /** True once the connection on which the lease was given is no more. */
  readonly isElsewhere: () => boolean
}

export interface OwnershipOptions extends GroupOptions {
  readonly leaseMs: number
}

export interface Holding extends Owned {
  readonly stop: AbortController
  readonly lose: AbortController
  work: Promise<void>
  /** Monotonic time up to which the lease is certainly ours. */
  validUntil: number
}

export interface Membership {
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

/** Answers how long the lease is still another's, ms; infinity once there is nothing to wait for. */
export async function take(membership: Membership, partition: number): Promise<number> {
  const { link, options, member: owner, held, work, failed, until } = membership
  const { stream, group, leaseMs } = options
  const client = await link.writer()
  // Before the request: the lease may have begun at any moment since.
  const asked = link.clock.monotonic()
  const keys = partitionKeys(stream.name, partition)
  const isElsewhere = watchLine(client, keys.entries)
  const args = [owner, leaseMs, membership.leastEpochs.get(partition) ?? 0, group, keys.gate(group, '')]
  const [epoch, seen] = (await runScript(client, ACQUIRE, [keys.lease(group), keys.meta], args)) as [
    number,
    number,
  ]
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
    ...{ partition, owner, epoch, seen, stop, lose, giveUp, isElsewhere },
    ownership: { resource: `${stream.name}/${partition}/${group}`, epoch, owner },
    pause: membership.pause,
    beginAnew: () => handOver(membership, holding),
    stopping: stop.signal,
    lost: lose.signal,
    isValid() {
      if (lose.signal.aborted) return false
      if (link.clock.monotonic() < holding.validUntil) return true
      // For good: what was left out in this moment stands in front of what comes next.
      giveUp(new Error('FENCED the lease ran out'))
      return false
    },
    validUntil: asked + leaseMs,
    work: Promise.resolve(),
  }
  held.set(partition, holding)
  guard(link, holding)
  holding.work = work(holding)
    .catch(async (error) => {
      if (!isWrongType(error)) {
        if (lose.signal.aborted || isFenced(error) || isNoGroup(error)) return giveUp(error)
        return failed.abort(error)
      }
      await healTypes(link, stream, group).catch((reason) =>
        disturb(link, `${stream.name}/${partition}`, reason),
      )
      giveUp(error)
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

export async function renewAll(membership: Membership): Promise<void> {
  const { link, options, held } = membership
  const { stream, group, leaseMs } = options
  const client = await link.writer()
  membership.renewedAt = link.clock.monotonic()
  const renewals = [...held.values()].map(async (holding) => {
    const asked = link.clock.monotonic()
    const lease = partitionKeys(stream.name, holding.partition).lease(group)
    try {
      await runScript(client, RENEW, [lease], [holding.owner, holding.epoch, leaseMs])
      // One that came too late must not bring it back.
      if (holding.isValid()) holding.validUntil = asked + leaseMs
    } catch (error) {
      if (isFenced(error)) holding.giveUp(error)
      else throw error
    }
  })
  await Promise.all(renewals)
}

/** Takes nothing more, and gives the partition away once what is held has come to its end. */
export function handOver(membership: Membership, holding: Holding): void {
  if (holding.stop.signal.aborted) return
  holding.stop.abort()
  holding.work.then(() => release(membership, holding)).catch(() => {})
}

export async function release({ link, options, held }: Membership, holding: Holding): Promise<void> {
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
    disturb(link, `lease of ${group}`, error)
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
  const args = [owner, epoch, streamKeys(stream.name).moved(group)]
  await runScript(client, RELEASE, [keys.lease(group), keys.gate(group, epoch)], args)
}
