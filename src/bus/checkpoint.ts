// Where a fold stands in a partition: its state and the entry it was after. It moves in the script that acknowledges,
// so state and acknowledgement cannot come apart.
import { messageOf } from '../kernel/index.ts'
import { type Redis, runScript } from '../redis/index.ts'
import type { FoldOptions } from './bus.ts'
import { previousId } from './codec.ts'
import { type GapDetector, openGapDetector } from './gaps.ts'
import { groupsOf } from './groups.ts'
import type { Owned } from './lease.ts'
import { insist, type Link, unlessAborted } from './link.ts'
import { ACKNOWLEDGE } from './scripts.ts'
import { partitionKeys, type Stream } from './stream.ts'

export interface Folding<T, S> {
  readonly link: Link
  readonly options: FoldOptions<T, S>
  readonly owned: Owned
  state: S
  /** The last entry applied, and its sequence. */
  at: string
  sequence: number
  /** What was applied is neither durable nor said in full: it is not acknowledged. */
  isUnsettled: boolean
  readonly gaps: GapDetector
  /** The checkpoint as Redis has it. */
  saved: { readonly state: string; readonly at: string }
  /** Entries after it that `apply` threw at. */
  readonly poisoned: Set<string>
}

interface Place {
  readonly link: Link
  readonly options: { readonly stream: Stream<unknown>; readonly group: string }
  readonly owned: Owned
}

/** Runs a command until it is answered or the partition is lost. */
export function whileOwned<T>(place: Place, command: (client: Redis) => Promise<T>): Promise<T> {
  const { link, options, owned } = place
  const where = `${options.stream.name}/${owned.partition} for ${options.group}`
  return unlessAborted(owned.lost, () => insist(link, where, owned.lost, command))
}

/**
 * The state at the last checkpoint. Without one, or with one that `load` refuses, the fold begins anew behind what is
 * acknowledged, says so unless somebody has moved the group there (`sought`), and keeps what was refused in the fields
 * `refused` and `refusedAt`.
 */
export async function loadCheckpoint<T, S>(
  link: Link,
  options: FoldOptions<T, S>,
  owned: Owned,
): Promise<Folding<T, S>> {
  const { stream, group, start, load, save } = options
  const base = { link, options, owned, isUnsettled: false, poisoned: new Set<string>() }
  const key = partitionKeys(stream.name, owned.partition).checkpoint(group)
  const [state, at, sequence, sought] = await whileOwned(base, (client) =>
    client.hmget(key, 'state', 'at', 'sequence', 'sought'),
  )
  const gapsFrom = (seen: number) =>
    openGapDetector(link, { stream, group, partition: owned.partition, seen })
  const tell = (reason: string) =>
    link.events.emit('lost', { stream: stream.name, group, partition: owned.partition, count: 0, reason })
  if (state && at) {
    try {
      const stand = { at, sequence: Number(sequence), gaps: gapsFrom(Number(sequence)) }
      return { ...base, ...stand, state: load(state), saved: { state, at } }
    } catch (error) {
      tell(`the checkpoint cannot be read: ${messageOf(error)}`)
      await whileOwned(base, (client) => client.hset(key, 'refused', state, 'refusedAt', at))
    }
  }
  const stand = await standOf(base)
  if (!state && !sought && stand !== '0-0' && options.from !== 'end') tell('the checkpoint is missing')
  const fresh = start()
  const saved = { state: save(fresh), at: stand }
  const folding = { ...base, state: fresh, at: stand, sequence: 0, gaps: gapsFrom(0), saved }
  // The beginning is a checkpoint too: a crash before the first one must not skip what was acknowledged by then.
  await acknowledge(folding, true, [])
  return folding
}

/**
 * Acknowledges entries; with the state, moves the checkpoint to where the fold stands. On another connection than the
 * one of the lease it does neither: a server that has forgotten the last has a checkpoint that fits what it remembers.
 */
export async function acknowledge<T, S>(
  folding: Folding<T, S>,
  withState: boolean,
  ids: readonly string[],
): Promise<void> {
  const { options, owned, at, sequence } = folding
  const { stream, group, save } = options
  const keys = partitionKeys(stream.name, owned.partition)
  const state = withState ? save(folding.state) : ''
  const args = [owned.owner, owned.epoch, group, state, at, sequence, ...ids]
  const scriptKeys = [keys.lease(group), keys.entries, keys.checkpoint(group), keys.meta]
  await whileOwned(folding, async (client) => {
    if (!owned.isElsewhere()) await runScript(client, ACKNOWLEDGE, scriptKeys, args)
  })
  if (owned.isElsewhere()) return void owned.beginAnew()
  if (!withState) return
  folding.saved = { state, at }
  folding.poisoned.clear()
}

/** The last entry that the group was ever given. */
export async function lastDelivered(place: Place): Promise<string> {
  const { stream, group } = place.options
  const { entries } = partitionKeys(stream.name, place.owned.partition)
  const groups = await whileOwned(place, (client) => groupsOf(client, entries))
  return groups.find(({ name }) => name === group)?.delivered ?? '0-0'
}

/** The entry that everything up to is acknowledged: before the oldest pending one, else the last delivered. */
async function standOf(place: Place): Promise<string> {
  const { stream, group } = place.options
  const { entries } = partitionKeys(stream.name, place.owned.partition)
  const [pending, oldest] = (await whileOwned(place, (client) => client.xpending(entries, group))) as [
    number,
    string | null,
  ]
  return pending > 0 && oldest ? previousId(oldest) : lastDelivered(place)
}
