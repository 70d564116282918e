// Ownership of partitions. A member joins the group's list, takes the leases of the partitions that are its own by
// assignment, renews them, and gives up those that are assigned to another: it stops reading, finishes, acknowledges
// and only then releases. An owner that cannot renew stops by its own monotonic clock before its lease runs out.
import type { Task } from '../kernel/index.ts'
import { isWrongType, runScript } from '../redis/index.ts'
import { assign } from './assignment.ts'
import { openGroupSurely, unlessFull } from './groups.ts'
import {
  handOver,
  type Membership,
  type Owned,
  type OwnershipOptions,
  release,
  renewAll,
  take,
} from './lease.ts'
import { consumerName, disturb, isFenced, isNoGroup, isPassing, type Link, unlessAborted } from './link.ts'
import { healTypes } from './move-aside.ts'
import { watchPause } from './pause.ts'
import { JOIN, LEAVE } from './scripts.ts'
import { streamKeys } from './stream.ts'

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
    let turning: Promise<number> = Promise.resolve(0)
    await unlessAborted(until, () => openGroupSurely(link, options, until)).catch(ignoreWhen(signal))
    while (!until.aborted) {
      turning = turn(membership)
      const pauseMs = await unlessAborted(until, () => turning).catch((error) => {
        if (until.aborted) return 0
        return recover(membership, error)
      })
      await wake.next(Math.max(pauseMs, LOOK_AGAIN_MS), until)
    }
    wake.close()
    // A lease that is asked for at this moment would otherwise stay until it runs out.
    await Promise.race([turning.catch(() => {}), link.clock.sleep(LEAVE_MS)])
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
  disturb(link, where, error)
  if (isWrongType(error)) {
    const heal = healTypes(link, stream, group)
    await heal.catch((reason) => disturb(link, where, reason))
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
    if (!mine.has(holding.partition)) handOver(membership, holding)
  }
  const wanted = [...mine].filter((partition) => !held.has(partition))
  const free = await Promise.all(wanted.map((partition) => take(membership, partition)))
  // At the moment at which a silent member or its lease ends, and not up to a quarter of a lease later.
  return Math.min(leaseMs / 4, livesMs + 1, ...free.map((freeInMs) => freeInMs + 1))
}

/** While the last work finishes, its leases must not run out. */
function keepRenewing(membership: Membership): { stop(): void } {
  const { link, options, held } = membership
  const done = new AbortController()
  void (async () => {
    while (!done.signal.aborted && held.size > 0) {
      await renewAll(membership).catch((error) => disturb(link, `leases of ${options.group}`, error))
      await link.clock.sleep(options.leaseMs / 4, done.signal)
    }
  })()
  return { stop: () => done.abort() }
}

async function leave(membership: Membership): Promise<void> {
  const { link, options, member, held } = membership
  await Promise.all([...held.values()].map((holding) => release(membership, holding)))
  try {
    const { members, moved } = streamKeys(options.stream.name)
    const { group } = options
    await runScript(await link.writer(), LEAVE, [members(group)], [member, moved(group)])
  } catch (error) {
    disturb(link, `members of ${options.group}`, error)
  }
}

const ignoreWhen = (signal: AbortSignal) => (error: unknown) => {
  if (!signal.aborted) throw error
}
