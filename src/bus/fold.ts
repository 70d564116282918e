// A fold: state and entry in, state and outputs out, in the order of the partition. Whoever takes over loads the
// checkpoint and applies what the stream holds after it, acknowledged or not: outputs that were already said carry
// the same ids and are recognised.
import { messageOf, SluiceError, type Task } from '../kernel/index.ts'
import type { Entry, FoldOptions, Outgoing } from './bus.ts'
import { tell } from './channels.ts'
import { acknowledge, type Folding, lastDelivered, loadCheckpoint, whileOwned } from './checkpoint.ts'
import { compareIds, decodeEntry, type RawEntry, sequenceOf } from './codec.ts'
import { bury } from './dead-letters.ts'
import { disturb, isPassing, type Link, unlessAborted } from './link.ts'
import { ownPartitions } from './ownership.ts'
import { openPartitionReader } from './partition-reader.ts'
import type { Publish } from './publish.ts'
import { partitionKeys } from './stream.ts'

const BATCH = 500
// A checkpoint for each acknowledgement would write the state of a board (about 3 KB) up to 100 times a second into
// the AOF; once a second costs a second of reading back after a crash.
const CHECKPOINT_MS = 1_000

/** What one entry led to. */
interface Effect {
  readonly raw: RawEntry
  readonly events: readonly Outgoing[]
}

export function fold<T, S>(link: Link, publish: Publish, options: FoldOptions<T, S>, leaseMs: number): Task {
  const { stream, group, from = 'start' } = options
  return ownPartitions(link, { stream, group, from, leaseMs }, async (owned) => {
    const reader = openPartitionReader(link, { stream, group }, owned)
    try {
      // What is applied again from the checkpoint on may hold what nobody has applied yet.
      await owned.pause.passed(owned.stopping)
      if (owned.stopping.aborted) return
      const folding = await restore(await loadCheckpoint(link, options, owned), publish)
      let savedAt = link.clock.monotonic()
      while (!owned.stopping.aborted) {
        const isSaved = folding.saved.at === folding.at
        // When it grows quiet the last state is saved: a crash hours later must not say again what went before.
        const delivered = await reader.next(BATCH, isSaved ? undefined : CHECKPOINT_MS)
        const raws = delivered.map(({ raw }) => raw)
        await applyAll(folding, publish, raws)
        const isDue =
          link.clock.monotonic() - savedAt > CHECKPOINT_MS || raws.length === 0 || folding.poisoned.size > 0
        if (folding.isUnsettled || (owned.stopping.aborted && raws.length === 0)) break
        await acknowledge(
          folding,
          isDue,
          raws.map(([id]) => id),
        )
        if (isDue) savedAt = link.clock.monotonic()
      }
      const isBehind = folding.saved.at !== folding.at && !folding.isUnsettled
      if (isBehind && !owned.lost.aborted) await acknowledge(folding, true, [])
    } finally {
      await reader.close()
    }
  })
}

/** Applies what was delivered after the checkpoint, to any owner: what it said may not have been stored. */
async function restore<T, S>(folding: Folding<T, S>, publish: Publish): Promise<Folding<T, S>> {
  const { stream } = folding.options
  const { entries } = partitionKeys(stream.name, folding.owned.partition)
  const until = await lastDelivered(folding)
  while (compareIds(folding.at, until) < 0 && !folding.owned.stopping.aborted) {
    const raws = await whileOwned(folding, (client) =>
      client.xrange(entries, `(${folding.at}`, until, 'COUNT', BATCH),
    )
    if (raws.length === 0) break
    await applyAll(folding, publish, raws as RawEntry[])
  }
  return folding
}

async function applyAll<T, S>(
  folding: Folding<T, S>,
  publish: Publish,
  raws: readonly RawEntry[],
): Promise<void> {
  if (raws.length === 0) return
  const { link, options } = folding
  const began = link.clock.monotonic()
  const effects: Effect[] = []
  const messages: { channel: string; message: string }[] = []
  for (const raw of raws) {
    // Read back during the restoration and held by the group as well: applied once.
    if (compareIds(raw[0], folding.at) <= 0) continue
    folding.gaps.see(raw)
    const entry = await readable(folding, raw)
    const output = entry && (await applyOne(folding, raw, entry))
    if (output) {
      if (output.events.length > 0) effects.push({ raw, events: output.events })
      if (output.tell) messages.push(...output.tell)
    }
    folding.sequence = sequenceOf(raw) || folding.sequence
    folding.at = raw[0]
  }
  folding.isUnsettled ||= !(await isDurable(folding)) || !(await isSaid(folding, publish, effects))
  if (folding.isUnsettled) return
  // At most once, as every message on a channel: the next one says what is true then.
  for (const { channel, message } of messages) void tell(link, channel, message).catch(() => {})
  const tookMs = link.clock.monotonic() - began
  link.events.emit('handled', {
    stream: options.stream.name,
    group: options.group,
    count: raws.length,
    tookMs,
  })
}

/** Applies an entry; one that `apply` throws at is buried, and the state is made again without it. */
async function applyOne<T, S>(folding: Folding<T, S>, raw: RawEntry, entry: Entry<T>) {
  try {
    return folding.options.apply(folding.state, entry)
  } catch (error) {
    await give(folding, raw, messageOf(error), error instanceof Error ? error.stack : undefined)
    folding.poisoned.add(raw[0])
    await rebuild(folding, raw[0])
    return undefined
  }
}

/** `apply` may have changed the state half: it is made again from the checkpoint up to (excluding) an entry. */
async function rebuild<T, S>(folding: Folding<T, S>, until: string): Promise<void> {
  const { options, owned, saved, poisoned } = folding
  const { stream, group, apply, load } = options
  const { entries } = partitionKeys(stream.name, owned.partition)
  const state = load(saved.state)
  for (let after = saved.at; ; ) {
    const raws = await whileOwned(folding, (client) =>
      client.xrange(entries, `(${after}`, `(${until}`, 'COUNT', BATCH),
    )
    for (const raw of raws as RawEntry[]) {
      const decoded = decodeEntry(stream, owned.partition, raw, 1)
      const isOurs = decoded.ok && (decoded.to === undefined || decoded.to === group)
      if (isOurs && !poisoned.has(raw[0])) apply(state, decoded.entry)
      after = raw[0]
    }
    if (raws.length < BATCH) break
  }
  folding.state = state
}

async function readable<T, S>(folding: Folding<T, S>, raw: RawEntry): Promise<Entry<T> | undefined> {
  const { options, owned } = folding
  const { stream, group } = options
  if (raw[1] === null) {
    folding.gaps.missing(1, 'deleted while it was pending')
    return undefined
  }
  const decoded = decodeEntry(stream, owned.partition, raw, 1)
  if (decoded.ok) return decoded.to === undefined || decoded.to === group ? decoded.entry : undefined
  await give(folding, raw, decoded.reason)
  return undefined
}

async function give<T, S>(
  folding: Folding<T, S>,
  raw: RawEntry,
  reason: string,
  stack?: string,
): Promise<void> {
  const { link, options, owned } = folding
  const { stream, group } = options
  const burial = { stream, group, partition: owned.partition, lease: owned, raw, attempts: 1, reason, stack }
  await unlessAborted(owned.lost, () => bury(link, burial, owned.lost))
}

/** False when it failed while the owner stops: the next one does it again. */
async function isDurable<T, S>({ link, options, owned, state }: Folding<T, S>): Promise<boolean> {
  const { lost, stopping } = owned
  try {
    await unlessAborted(lost, async () => options.settle?.(state, AbortSignal.any([lost, stopping])))
    return true
  } catch (error) {
    if (!stopping.aborted || lost.aborted) throw error
    disturb(link, `what ${options.group} keeps of ${options.stream.name}`, error, true)
    return false
  }
}

/**
 * Outputs are never dropped: a full stream or an absent server is waited for, as long as the partition is ours. False
 * when it has failed and the owner stops: the next one says them.
 */
async function isSaid<T, S>(
  folding: Folding<T, S>,
  publish: Publish,
  effects: readonly Effect[],
): Promise<boolean> {
  const { link, owned } = folding
  let left = effects
  for (let attempt = 0; left.length > 0; attempt++) {
    try {
      const events = left.flatMap((effect) => effect.events)
      await unlessAborted(owned.lost, () => publish(events, owned.ownership))
      return true
    } catch (error) {
      if (owned.lost.aborted) throw error
      const cause = causeOf(error, left)
      if (cause) {
        // No attempt can publish what its stream refuses; the entry that led to it must not stop the others.
        await give(folding, cause.raw, `its output was refused: ${messageOf(error)}`)
        left = left.filter((effect) => effect !== cause)
        continue
      }
      if (!isPassing(error)) throw error
      disturb(link, 'output of a fold', error)
      if (owned.stopping.aborted) return false
      await link.clock.sleep(Math.min(50 * 2 ** attempt, 1_000), owned.stopping)
    }
  }
  return true
}

function causeOf(error: unknown, effects: readonly Effect[]): Effect | undefined {
  if (!(error instanceof SluiceError) || !/^PAYLOAD_/.test(error.code)) return undefined
  return effects.find(({ events }) => events.some(({ id }) => id === error.facts['id']))
}
