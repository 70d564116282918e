// Decides which batch goes where next: into the thread in the order in which they came, or into the spill files while
// the store does not keep up. Runs whenever something has changed.
import { type Clock, messageOf } from '../kernel/index.ts'
import type { Sealed, TickQueue } from './queue.ts'
import type { Spill } from './spill.ts'
import type { Spilled } from './spill-line.ts'
import type { HandedBatches } from './writer-handed.ts'
import type { Link } from './writer-link.ts'
import type { Overflow } from './writer-overflow.ts'
import type { Tally } from './writer-tally.ts'

// One that is written, and one that waits for that.
const UNTRIED_MAX = 2
const REREAD_MS = 1_000

export interface PumpOptions {
  readonly queue: TickQueue
  readonly handed: HandedBatches
  readonly link: Link
  readonly spill: Spill
  readonly overflow: Overflow
  readonly tally: Tally
  readonly clock: Clock
  readonly batchMs: number
  /** Held ticks from which on batches are spilled; undefined for never. */
  readonly spillFrom: number | undefined
  /** Held ticks from which on nothing is read back. */
  readonly readBelow: number
}

export interface Pump {
  run(): void
  /** A full batch. */
  place(sealed: Sealed): void
  /** The batch that is being filled waits no longer than until the thread has nothing to do. */
  hasten(): void
  /** No batch waits for its age any more. */
  hurry(): void
  /** Resolves when nothing is left. */
  idle(): Promise<void>
  /** Batches that nobody has taken; they are forgotten here. */
  giveUp(): Sealed[]
}

export function openPump(options: PumpOptions): Pump {
  const { queue, handed, link, spill, overflow, tally, clock } = options
  let ready: Sealed[] = []
  const idle = Promise.withResolvers<void>()
  let isHurrying = false
  const age = openAge(options, () => isHurrying)
  const fetching = openFetching(
    options,
    (spilled) => hand({ batch: spilled.batch, parts: [] }, spilled),
    () => run(),
  )

  const wantsSpill = () =>
    options.spillFrom !== undefined &&
    (!overflow.isEmpty() || !spill.isEmpty() || queue.held() > options.spillFrom || tally.isStuck())
  // What a thread may have died of is alone with the next one, so that nothing else dies with it.
  const hasRoom = () => handed.untried() < (handed.isSuspect() ? 1 : UNTRIED_MAX)
  const hand = ({ batch, parts }: Sealed, spilled?: Spilled) => {
    age.handed()
    link.write(handed.add(batch.count, parts, spilled), batch)
  }
  const next = (now: number): Sealed | undefined => {
    const first = ready.shift()
    if (first) return first
    if (spill.isAgain() && handed.untried() > 0) return undefined
    if (fetching.isOn() || !spill.isEmpty()) return fetching.begin()
    if (!overflow.isEmpty()) return overflow.takeBack()
    return age.isDue(now) ? age.seal() : undefined
  }
  const run = () => {
    // One look at the clock: what is not due at the first question must not be due at the last, or nobody would plan it.
    const now = clock.monotonic()
    if (wantsSpill() && age.isDue(now)) overflow.push(age.seal()!)
    while (link.isUp() && hasRoom()) {
      const sealed = next(now)
      if (!sealed) break
      hand(sealed)
    }
    age.plan(now, run)
    const isIdle = queue.held() === 0 && queue.waiting() === 0 && spill.isEmpty() && !fetching.isOn()
    if (isHurrying && isIdle) idle.resolve()
  }
  tally.events.on('spilled', run)
  tally.events.on('unspilled', run)
  return {
    run,
    place(sealed) {
      if (wantsSpill()) overflow.push(sealed)
      else ready.push(sealed)
      run()
    },
    hasten() {
      age.hasten()
      // Not in the same call: what is added together goes together.
      setImmediate(run)
    },
    hurry() {
      isHurrying = true
      age.stop()
      run()
    },
    idle: () => idle.promise,
    giveUp() {
      const last = queue.seal()
      const given = last ? [...ready, last] : ready
      ready = []
      return given
    },
  }
}

/** When the batch that is being filled is to go, full or not. */
function openAge({ queue, handed, clock, batchMs }: PumpOptions, isHurrying: () => boolean) {
  /** ms of the monotonic clock. */
  let handedAt = Number.NEGATIVE_INFINITY
  let isPlanned = false
  let isHasty = false
  const stop = new AbortController()
  const isNow = () => isHurrying() || (isHasty && handed.untried() === 0)
  const waitMs = (begunAt: number, now: number) => (isNow() ? 0 : Math.max(begunAt, handedAt + batchMs) - now)
  return {
    handed() {
      handedAt = clock.monotonic()
    },
    hasten() {
      isHasty = true
    },
    seal() {
      isHasty = false
      return queue.seal()
    },
    isDue(now: number) {
      const begunAt = queue.begunAt()
      return begunAt !== undefined && waitMs(begunAt, now) <= 0
    },
    plan(now: number, then: () => void) {
      const begunAt = queue.begunAt()
      if (isPlanned || begunAt === undefined) return
      const ms = waitMs(begunAt, now)
      // Due and still here: the thread is busy, and whatever it tells will ask again.
      if (ms <= 0) return
      isPlanned = true
      void clock.sleep(ms, stop.signal).then(() => {
        isPlanned = false
        then()
      })
    },
    /** Nothing is waited for any more, which would keep the process from ending. */
    stop: () => stop.abort(),
  }
}

/** Reads the next batch out of the spill files, one at a time. */
function openFetching(
  { queue, link, spill, tally, clock, readBelow }: PumpOptions,
  take: (spilled: Spilled) => void,
  then: () => void,
) {
  let isOn = false
  const fetch = async () => {
    try {
      const spilled = await spill.next()
      isOn = false
      if (!spilled) return
      // The thread may have died meanwhile: what it is handed then would be with nobody.
      if (!link.isUp()) return spilled.later()
      queue.hold(spilled.batch.count)
      take(spilled)
    } catch (error) {
      tally.events.emit('unspilled', { reason: messageOf(error) })
      await clock.sleep(REREAD_MS)
      isOn = false
    }
  }
  return {
    isOn: () => isOn,
    begin(): undefined {
      if (isOn || tally.isStuck() || queue.held() >= readBelow) return
      isOn = true
      void fetch().then(then)
    },
  }
}
