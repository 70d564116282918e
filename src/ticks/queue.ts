// The bounded way in of the tick writer. Callers wait in order until there is room; what has room goes straight into
// the columns of the batch that is being filled. Counted are ticks, from then until they are durable somewhere.
import type { TickBatch } from './batch.ts'
import { type Accepted, type Adding, openAdding, type Part } from './queue-adds.ts'
import { openFiller } from './queue-columns.ts'
import type { Tick } from './tick.ts'

// Filling goes on after other work of the loop had its turn: 4,096 ticks take about 1 ms.
const TICKS_A_TURN = 4_096

/** A batch that takes no more ticks. */
export interface Sealed {
  readonly batch: TickBatch
  readonly parts: readonly Part[]
}

export interface TickQueueOptions {
  /** Ticks held at most, in batches wherever they are. */
  readonly max: number
  readonly batchTicks: number
  /** ms of the monotonic clock. */
  readonly now: () => number
  /** The batch has its first tick. */
  readonly onBegun: () => void
  /** The batch is full; the next one is begun. */
  readonly onFull: (sealed: Sealed) => void
}

export interface TickQueue {
  add(ticks: readonly Tick[]): Promise<Accepted>
  /** Resolves when there is room and nobody waits for it. */
  ready(): Promise<void>
  /** The batch as it is; undefined when it is empty. */
  seal(): Sealed | undefined
  /** When the first tick of the batch came; undefined when it is empty. */
  begunAt(): number | undefined
  /** So many ticks came from elsewhere; they are let in always. */
  hold(count: number): void
  /** So many are durable, or given up. */
  release(count: number): void
  /** Ticks held. */
  held(): number
  /** Ticks of calls that wait for room. */
  waiting(): number
  /** Calls that wait for room; they are forgotten here. */
  giveUp(): Adding[]
}

export function openTickQueue(options: TickQueueOptions): TickQueue {
  const { max } = options
  const filling = openFilling(options)
  let callers: Adding[] = []
  let watchers: (() => void)[] = []
  let held = 0
  let waiting = 0
  let isLater = false

  const isOver = (adding: Adding) => adding.hasFailed() || adding.waiting() === 0
  const admit = () => {
    let left = TICKS_A_TURN
    let done = 0
    for (let adding = callers[0]; adding && left > 0; adding = callers[done]) {
      const count = isOver(adding) ? 0 : filling.fitting(adding, Math.min(left, max - held))
      held += count
      waiting -= count
      left -= count
      if (count > 0) filling.take(adding, count)
      if (isOver(adding)) {
        waiting -= adding.waiting()
        done++
      } else if (count === 0) break
    }
    callers = callers.slice(done)
    if (callers.length > 0 && held < max) later()
    if (callers.length > 0 || held >= max) return
    const told = watchers
    watchers = []
    for (const tell of told) tell()
  }
  const later = () => {
    if (isLater) return
    isLater = true
    setImmediate(() => {
      isLater = false
      admit()
    })
  }

  return {
    add(ticks) {
      const adding = openAdding(ticks)
      if (ticks.length === 0) return adding.accepted
      callers.push(adding)
      waiting += ticks.length
      if (callers.length === 1 && !isLater) admit()
      return adding.accepted
    },
    ready: () =>
      held < max && callers.length === 0
        ? Promise.resolve()
        : new Promise((resolve) => watchers.push(resolve)),
    seal: filling.seal,
    begunAt: filling.begunAt,
    hold(count) {
      held += count
    },
    release(count) {
      held -= count
      if (callers.length > 0 || watchers.length > 0) later()
    },
    held: () => held,
    waiting: () => waiting,
    giveUp() {
      const given = callers
      callers = []
      waiting = 0
      return given
    },
  }
}

/** The batch that is being filled, with whose ticks are in it. */
function openFilling({ batchTicks, now, onBegun, onFull }: TickQueueOptions) {
  const filler = openFiller(batchTicks)
  let parts: Part[] = []
  let begunAt: number | undefined

  const seal = (): Sealed | undefined => {
    if (begunAt === undefined) return undefined
    const sealed = { batch: filler.take(), parts }
    parts = []
    begunAt = undefined
    return sealed
  }
  return {
    seal,
    begunAt: () => begunAt,
    /** How many of the next ticks of the call fit, of at most so many. */
    fitting: (adding: Adding, most: number) =>
      Math.max(0, Math.min(adding.waiting(), most, batchTicks - filler.count())),
    take(adding: Adding, count: number) {
      const isFirst = begunAt === undefined
      begunAt ??= now()
      adding.take(count, filler.push)
      parts.push({ adding, count })
      if (filler.isFull()) onFull(seal()!)
      else if (isFirst) onBegun()
    },
  }
}
