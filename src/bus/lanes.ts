// Lanes: work of one key runs in order, work of different keys side by side. What is held is bounded by number and
// by size; what runs is bounded by slots, which the work takes itself, so that waiting for a retry costs none.
// Work says by a call that it has ended: a promise for each step of each entry was half of a consumer's time.
import { afterMs } from '../kernel/index.ts'

/** Begins; calls `done` once, at any time. */
export type Work = (done: () => void) => void

export interface Slots {
  /** Begins `work` in a free slot, first come first served; `alone` waits up to 5 s until it has all of them. */
  enter(work: Work, alone?: boolean): void
  /** Resolves when fewer than `count` pieces of work run or wait for a slot. */
  below(count: number): Promise<void>
}

export interface Hold {
  /** Resolves when there is room for more. */
  room(): Promise<void>
  /** Begins after the earlier work of the same key has ended; without a key at once. */
  run(key: string | undefined, bytes: number, work: Work): void
  /** Resolves when nothing waits or runs. */
  idle(): Promise<void>
}

interface Queued {
  needs: number
  readonly work: Work
}

// Who wants all slots holds up everybody behind; a neighbour that takes longer must not make that for ever.
const ALONE_WAIT_MS = 5_000

export function openSlots(count: number): Slots {
  let free = count
  let load = 0
  const changes = openChanges()
  const queue: Queued[] = []

  let isBeginning = false
  /** Never nested: work that ends at once, as all does when a consumer stops, would go ever deeper. */
  const beginWaiting = () => {
    if (isBeginning) return
    isBeginning = true
    try {
      for (let next = queue[0]; next && next.needs <= free; next = queue[0]) {
        queue.shift()
        begin(next.work, next.needs)
      }
    } finally {
      isBeginning = false
    }
  }
  const giveUpAlone = (queued: Queued) => {
    queued.needs = 1
    beginWaiting()
  }
  const leave = (needs: number) => {
    load--
    free += needs
    beginWaiting()
    changes.tell()
  }
  const leaveOne = () => leave(1)
  const begin = (work: Work, needs: number) => {
    free -= needs
    work(needs === 1 ? leaveOne : () => leave(needs))
  }
  return {
    enter(work, alone = false) {
      const needs = alone ? count : 1
      load++
      if (queue.length === 0 && free >= needs) return begin(work, needs)
      const queued = { needs, work }
      queue.push(queued)
      if (alone) afterMs(ALONE_WAIT_MS, () => giveUpAlone(queued))
    },
    below: (limit) => changes.until(() => load < limit),
  }
}

interface Waiting {
  readonly bytes: number
  readonly work: Work
}

/** Holds until `max` pieces or `maxBytes` of work are reached; one more piece may always pass the limit of bytes. */
export function openHold(max: number, maxBytes = Number.POSITIVE_INFINITY): Hold {
  /** The keys at work, each with what waits behind it. */
  const lanes = new Map<string, Waiting[]>()
  let held = 0
  let heldBytes = 0
  const changes = openChanges()

  const begin = (key: string | undefined, { bytes, work }: Waiting) =>
    work(() => {
      held--
      heldBytes -= bytes
      if (key !== undefined) goOn(key)
      changes.tell()
    })
  const goOn = (key: string) => {
    const next = lanes.get(key)!.shift()
    // Not in this call: work that ends at once would go ever deeper.
    if (next) queueMicrotask(() => begin(key, next))
    else lanes.delete(key)
  }

  return {
    room: () => changes.until(() => held < max && heldBytes < maxBytes),
    idle: () => changes.until(() => held === 0),
    run(key, bytes, work) {
      held++
      heldBytes += bytes
      if (key !== undefined) {
        const lane = lanes.get(key)
        if (lane) return void lane.push({ bytes, work })
        lanes.set(key, [])
      }
      begin(key, { bytes, work })
    },
  }
}

/** Those who wait until a condition holds look again whenever something has changed. */
function openChanges() {
  let watchers: (() => void)[] = []
  return {
    tell() {
      if (watchers.length === 0) return
      const told = watchers
      watchers = []
      for (const tell of told) tell()
    },
    async until(condition: () => boolean) {
      while (!condition()) await new Promise<void>((resolve) => watchers.push(resolve))
    },
  }
}
