// Without order: every consumer of the group takes any entry. What a silent consumer holds goes to another after the
// visibility time-out; what is in work here is claimed again before that, so a long handler is left in peace.
import { repeat, runTasks, type Task } from '../kernel/index.ts'
import { isCluster, isWrongType, runScript } from '../redis/index.ts'
import { type Acknowledger, openAcknowledger } from './acknowledge.ts'
import { type Attempts, attempt } from './attempts.ts'
import type { ConsumeOptions } from './bus.ts'
import { decodeEntry, sizeOf } from './codec.ts'
import { type Burial, bury } from './dead-letters.ts'
import { openGroupSurely } from './groups.ts'
import { type Handlers, openHandlers } from './handlers.ts'
import { openHold, openSlots, type Slots } from './lanes.ts'
import { consumerName, disturb, insist, isNoGroup, isPassing, type Link, unlessAborted } from './link.ts'
import { openPace, type Pace } from './pace.ts'
import type { Delivered } from './partition-reader.ts'
import { pausable, watchPause } from './pause.ts'
import type { Publish } from './publish.ts'
import { NOTE_BEGUN } from './scripts.ts'
import { readNew, type SharedReader } from './shared-reader.ts'
import { handBack, keep, look } from './shared-upkeep.ts'
import { partitionKeys, partitionsOf } from './stream.ts'
import { openTally, type Tally } from './tally.ts'

// Entries that wait for a further attempt, beside those in work; then nothing new is read.
const WAITING_MAX = 2_000
const HELD_CHARACTERS_MAX = 32_000_000
// What leaving may cost when the server is away.
const LEAVE_MS = 1_000

interface Consumer<T> {
  readonly link: Link
  readonly options: ConsumeOptions<T>
  readonly name: string
  readonly partition: number
  readonly acknowledger: Acknowledger
  readonly attempts: Attempts<T>
  readonly stopping: AbortSignal
  readonly tally: Tally
  readonly refused: (error: unknown) => void
  readonly pace: Pace
}

export function consumeShared<T>(
  link: Link,
  publish: Publish,
  options: ConsumeOptions<T>,
  visibilityMs: number,
): Task {
  return async (signal) => {
    const { stream, group, concurrency = 16, from = 'start' } = options
    const name = consumerName(link)
    const partitions = partitionsOf(stream)
    const inWork = new Map(partitions.map((partition) => [partition, new Set<string>()]))
    const failed = new AbortController()
    const stopping = AbortSignal.any([signal, failed.signal])
    const pause = watchPause(link, options, stopping)
    const slots = pausable(openSlots(concurrency), pause, stopping)
    const pace = openPace(concurrency)
    const held = openHold(WAITING_MAX, HELD_CHARACTERS_MAX)
    const refused = (error: unknown) => {
      // While stopping, an entry that could not be acknowledged stays pending and comes again.
      // The readers meet a wrong type or a missing group as well, and mend it.
      if (!isPassing(error) && !isWrongType(error) && !isNoGroup(error)) failed.abort(error)
      else disturb(link, stream.name, error)
    }
    const drained = new AbortController()
    const over = AbortSignal.any([drained.signal, link.closing])
    const handlers = openHandlers(link.clock, options, { ownership: undefined, publish, over })
    const consumers = partitions.map((partition) =>
      openConsumer(link, options, { name, partition, slots, stopping, inWork, refused, pace, handlers }),
    )
    const shared: SharedReader<T> = {
      ...{ link, options, name, visibilityMs, partitions, inWork, pause, pace, stopping },
      async room() {
        await held.room()
        // The next entries are here when a handler ends; more would be withheld from the other consumers.
        await slots.below(concurrency * 2)
      },
      // Its handler is left alone: without order two may work on one entry, and only the first acknowledgement counts.
      drop: (partition, entry) => inWork.get(partition)!.delete(entry),
      receive(partition, delivered) {
        const here = inWork.get(partition)!
        const [id] = delivered.raw
        if (here.has(id)) return
        here.add(id)
        const release = () => here.delete(id)
        held.run(undefined, sizeOf(delivered.raw), (done) =>
          settle(consumers[partition]!, delivered, release, done),
        )
      },
    }
    // Also while the last handlers finish: what they hold must not go to others meanwhile.
    const keeping = repeat(visibilityMs / 3, link.clock, () => keep(shared))(drained.signal).catch(refused)
    try {
      await unlessAborted(stopping, () => openGroupSurely(link, { stream, group, from }, stopping))
      const together = await unlessAborted(stopping, () => readTogether(link, options, stopping))
      await runTasks(
        [
          ...together.map((some) => () => readNew(shared, some)),
          repeat(visibilityMs / 3, link.clock, () => look(shared)),
        ],
        stopping,
      )
    } catch (error) {
      if (!stopping.aborted) failed.abort(error)
    }
    await held.idle()
    await Promise.all(consumers.map(({ acknowledger }) => acknowledger.idle()))
    drained.abort()
    await keeping
    await Promise.race([handBack(shared), link.clock.sleep(LEAVE_MS)])
    if (failed.signal.aborted) throw failed.signal.reason
  }
}

/** The partitions that one read may name: all, or in a cluster each by itself. */
function readTogether<T>(
  link: Link,
  { stream, group }: ConsumeOptions<T>,
  stopping: AbortSignal,
): Promise<number[][]> {
  const partitions = partitionsOf(stream)
  return insist(link, `${stream.name} for ${group}`, stopping, async (client) =>
    isCluster(client) ? partitions.map((partition) => [partition]) : [partitions],
  )
}

interface Place<T> {
  readonly handlers: Handlers<T>
  readonly name: string
  readonly partition: number
  readonly slots: Slots
  readonly stopping: AbortSignal
  readonly inWork: ReadonlyMap<number, ReadonlySet<string>>
  readonly refused: (error: unknown) => void
  readonly pace: Pace
}

function openConsumer<T>(link: Link, options: ConsumeOptions<T>, place: Place<T>): Consumer<T> {
  const { name, partition, slots, stopping, inWork, refused, pace, handlers } = place
  const { stream, group } = options
  const { entries } = partitionKeys(stream.name, partition)
  const where = `${stream.name} for ${group}`
  const tally = openTally(link, options)
  const send = async (ids: readonly string[]) => {
    const count = tally.take()
    await insist(link, `acknowledging ${where}`, stopping, async (client) => {
      await client.xack(entries, group, ...ids)
    })
    count.report()
  }
  const noteBegun = (entry: string, times: number) =>
    insist(link, `an attempt in ${where}`, stopping, async (client) => {
      await runScript(client, NOTE_BEGUN, [entries, entries], ['', '', group, name, entry, times])
    })
  const isOurs = (entry: string) => inWork.get(partition)!.has(entry)
  return {
    ...{ link, options, name, partition, stopping, tally, refused, pace },
    acknowledger: openAcknowledger({ send, refused }),
    attempts: { link, options, handlers, slots, stopping, noteBegun, isOurs, failed: refused },
  }
}

/** Brings one entry to its end; `release` when it is no longer in work here, `done` when it takes no room any more. */
function settle<T>(consumer: Consumer<T>, delivered: Delivered, release: () => void, done: () => void): void {
  const { link, options, partition, acknowledger, attempts, stopping, tally, refused, pace } = consumer
  const { raw, attempt: number, again } = delivered
  const { stream, group } = options
  const leave = () => {
    release()
    done()
  }
  if (stopping.aborted) return void leave()
  const acknowledge = () => {
    acknowledger.add(raw[0], release)
    done()
  }
  if (raw[1] === null) {
    const fact = { stream: stream.name, group, partition, count: 1 }
    link.events.emit('lost', { ...fact, reason: 'deleted while it was pending' })
    return void acknowledge()
  }
  const decoded = decodeEntry(stream, partition, raw, number)
  const dig = (why: Pick<Burial, 'reason' | 'stack' | 'attempts'>) => {
    const burial = { stream, group, partition, lease: undefined, raw, ...why }
    bury(link, burial, stopping).catch(refused).then(leave)
  }
  if (!decoded.ok) return void dig({ attempts: 1, reason: decoded.reason })
  if (decoded.to !== undefined && decoded.to !== group) return void acknowledge()
  const began = link.clock.monotonic()
  attempt(attempts, decoded.entry, again, (outcome) => {
    if (outcome.kind === 'kept') return void leave()
    if (outcome.kind === 'dead') return void dig(outcome)
    tally.add(link.clock.monotonic() - began)
    pace.ended()
    acknowledge()
  })
}
