// Reads one owned partition in order: first everything that former owners held, then what is new. Every read is fenced,
// so that a process that was paused can never receive what belongs to its successor: a backlog comes through a script
// that compares the epoch, and what has just been stored through a waiting read that names the gate of the epoch. An
// answer that is lost on the way is read again. After a connection has broken nothing is certain (a replica that was
// promoted does not know the last that the master has answered), so the owner begins anew with what is pending there.
import { closeRedis, runScript, type Script } from '../redis/index.ts'
import { compareIds, type RawEntry } from './codec.ts'
import type { Owned } from './lease.ts'
import { insist, isPassing, type Link, unlessAborted } from './link.ts'
import { type Held, heldOf, newOf } from './reply.ts'
import { READ_HELD, READ_NEW, TAKE_OVER } from './scripts.ts'
import { partitionKeys, type Stream } from './stream.ts'
import { openWait } from './wait.ts'

const BLOCK_MS = 2_000
// One answer of Redis: large payloads come a few at a time.
const READ_BYTES = 1_000_000

export interface Delivered {
  readonly raw: RawEntry
  /** 1 unless it had been delivered before. */
  readonly attempt: number
  /** A former owner held it and did not bring it to an end. */
  readonly again: boolean
}

export interface PartitionReader {
  /**
   * The next entries in order. Empty when the owner is stopping, or when nothing came for about `waitMs`. What was
   * read stays held until it is acknowledged.
   */
  next(count: number, waitMs?: number): Promise<Delivered[]>
  close(): Promise<void>
}

export interface ReaderOptions {
  readonly stream: Stream<unknown>
  readonly group: string
}

export function openPartitionReader(link: Link, options: ReaderOptions, owned: Owned): PartitionReader {
  const { stream, group } = options
  const keys = partitionKeys(stream.name, owned.partition)
  const waiter = link.reader(`${stream.name}:${owned.partition}:${group}`, keys.entries)
  const over = AbortSignal.any([owned.stopping, owned.lost])
  const scripts = partitionScripts(link, options, owned, over)
  const wait = openWait(link, waiter, { ...options, owned, over })
  const backlog = openBacklog(scripts)
  /** There may be more than a waiting read gives at once. */
  let isBehind = true

  async function find(count: number, waitMs: number): Promise<Delivered[]> {
    const until = link.clock.monotonic() + waitMs
    await backlog.takeOver()
    while (!over.aborted) {
      if (owned.isElsewhere() || wait.isElsewhere()) {
        owned.beginAnew()
        break
      }
      if (owned.pause.isPaused()) {
        if (link.clock.monotonic() >= until) break
        await owned.pause.passed(over, Math.min(until - link.clock.monotonic(), BLOCK_MS))
        continue
      }
      if (isBehind || backlog.isUncertain()) {
        const found = await backlog.read(count)
        if (!found || owned.isElsewhere()) continue
        if (found.length > 0) return found
      }
      isBehind = false
      const left = until - link.clock.monotonic()
      if (left <= 0) break
      const { raws, isCertain, more } = await wait.next(backlog.known(), Math.min(left, BLOCK_MS))
      if (wait.isElsewhere()) continue
      isBehind = more
      if (!isCertain) backlog.doubt()
      if (raws.length > 0) return raws.map(asNew)
    }
    return []
  }

  return {
    async next(count, waitMs = Number.POSITIVE_INFINITY) {
      try {
        const found = await find(count, waitMs)
        backlog.handedOut(found)
        // Read before somebody paused the group, and held until it goes on, here or with the next owner.
        if (found.length > 0) await owned.pause.passed(over)
        return owned.pause.isPaused() ? [] : found
      } catch (error) {
        // While it ends, a server that is away is no reason to fail.
        if (over.aborted && isPassing(error)) return []
        throw error
      }
    },
    close: () => closeRedis(waiter),
  }
}

/** What is held, then what is new, by scripts; knows how far it has come. */
function openBacklog(scripts: ReturnType<typeof partitionScripts>) {
  /** The last entry handed out. */
  let last = '0-0'
  /** The last entry that the group was ever given at the take-over; undefined before it. */
  let delivered: string | undefined
  /** Entries may have been delivered to us that we have not seen: read what we hold before anything new. */
  let unseen = true

  async function readOnce(count: number): Promise<Delivered[]> {
    if (!unseen) return scripts.readNew(count)
    const held = await scripts.readHeld(count, last)
    // There may be more of it.
    unseen = held.length > 0
    return held.map((one) => toDelivered(one, delivered!))
  }

  return {
    async takeOver(): Promise<void> {
      delivered ??= await scripts.takeOver()
    },
    /** Undefined when it has to be read again. */
    async read(count: number): Promise<Delivered[] | undefined> {
      const wasUnseen = unseen
      const found = await readOnce(count)
      // Its first try may have delivered what we never saw, and that stands in front of what we found.
      if (scripts.disturbed()) unseen = true
      else if (found.length > 0 || !wasUnseen) return found
      return undefined
    },
    isUncertain: () => unseen,
    doubt() {
      unseen = true
    },
    /** The last entry that was delivered before, to whomever. */
    known: () => maxId(last, delivered ?? last),
    handedOut(found: readonly Delivered[]) {
      last = maxId(last, found.at(-1)?.raw[0] ?? last)
    },
  }
}

/** @param delivered the last entry that former owners were given. */
function toDelivered({ raw, begun }: Held, delivered: string): Delivered {
  // What came to us after the take-over, in an answer that was lost, was never begun by anyone.
  const again = compareIds(raw[0], delivered) <= 0
  return { raw, attempt: again ? begun + 1 : 1, again }
}

const asNew = (raw: RawEntry): Delivered => ({ raw, attempt: 1, again: false })

/** The scripts of one owned partition. After a failure on the way, `disturbed` is true once. */
function partitionScripts(link: Link, { stream, group }: ReaderOptions, owned: Owned, over: AbortSignal) {
  const keys = partitionKeys(stream.name, owned.partition)
  const mine = [owned.owner, owned.epoch, group, owned.owner] as const
  let disturbed = false

  const run = (script: Script, ...args: (string | number)[]) =>
    unlessAborted(over, () =>
      insist(link, `${stream.name}/${owned.partition} for ${group}`, over, async (client) => {
        try {
          const scriptKeys = [keys.lease(group), keys.entries, keys.gate(group, owned.epoch)]
          return await runScript(client, script, scriptKeys, [...mine, ...args])
        } catch (error) {
          if (isPassing(error)) disturbed = true
          throw error
        }
      }),
    )

  return {
    disturbed() {
      const was = disturbed
      disturbed = false
      return was
    },
    /** Claims what former owners hold; answers the last entry that was ever delivered to the group. */
    async takeOver(): Promise<string> {
      const fact = { stream: stream.name, group, partition: owned.partition }
      let cursor = '0-0'
      let pending = 0
      let delivered: string
      do {
        const answer = (await run(TAKE_OVER, cursor)) as [string, number, number, string]
        const [next, taken, gone, last] = answer
        cursor = next
        pending += taken
        delivered = last
        if (gone > 0) {
          link.events.emit('lost', { ...fact, count: gone, reason: 'deleted while it was pending' })
        }
      } while (cursor !== '0-0')
      link.events.emit('tookOver', { ...fact, epoch: owned.epoch, pending })
      return delivered
    },
    async readHeld(count: number, after: string): Promise<Held[]> {
      return heldOf(await run(READ_HELD, count, READ_BYTES, after))
    },
    async readNew(count: number): Promise<Delivered[]> {
      return newOf(await run(READ_NEW, count, READ_BYTES)).map(asNew)
    },
  }
}

const maxId = (a: string, b: string) => (compareIds(a, b) > 0 ? a : b)
