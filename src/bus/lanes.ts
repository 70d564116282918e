// Lanes: work of one key runs in order, work of different keys side by side. What is held is bounded by number and
// by size; what runs is bounded by slots, which the work takes itself, so that waiting for a retry costs none.

export interface Slots {
  /** Runs `work` in a free slot, first come first served; `alone` waits until it has all of them. */
  run<T>(work: () => Promise<T>, alone?: boolean): Promise<T>
  /** Resolves when fewer than `count` pieces of work run or wait for a slot. */
  below(count: number): Promise<void>
}

export interface Hold {
  /** Resolves when there is room for more. */
  room(): Promise<void>
  /** Runs after the earlier work of the same key; settles like `work`. */
  run(key: string, bytes: number, work: () => Promise<void>): Promise<void>
  /** Resolves when nothing waits or runs. */
  idle(): Promise<void>
}

export function openSlots(count: number): Slots {
  let free = count
  let load = 0
  let watchers: (() => void)[] = []
  const queue: { needs: number; begin: () => void }[] = []

  const enter = (needs: number): Promise<void> | undefined => {
    if (queue.length === 0 && free >= needs) {
      free -= needs
      return undefined
    }
    return new Promise((begin) => queue.push({ needs, begin }))
  }
  const leave = (needs: number) => {
    free += needs
    for (let next = queue[0]; next && next.needs <= free; next = queue[0]) {
      queue.shift()
      free -= next.needs
      next.begin()
    }
  }
  return {
    async run(work, alone = false) {
      const needs = alone ? count : 1
      load++
      const entering = enter(needs)
      if (entering) await entering
      try {
        return await work()
      } finally {
        load--
        leave(needs)
        const told = watchers
        watchers = []
        for (const tell of told) tell()
      }
    },
    async below(limit) {
      while (load >= limit) await new Promise<void>((resolve) => watchers.push(resolve))
    },
  }
}

/** Holds until `max` pieces or `maxBytes` of work are reached; one more piece may always pass the limit of bytes. */
export function openHold(max: number, maxBytes = Number.POSITIVE_INFINITY): Hold {
  const tails = new Map<string, Promise<void>>()
  let held = 0
  let heldBytes = 0
  let watchers: (() => void)[] = []
  const changed = () => {
    const told = watchers
    watchers = []
    for (const tell of told) tell()
  }
  const until = async (condition: () => boolean) => {
    while (!condition()) await new Promise<void>((resolve) => watchers.push(resolve))
  }

  return {
    room: () => until(() => held < max && heldBytes < maxBytes),
    idle: () => until(() => held === 0),
    run(key, bytes, work) {
      held++
      heldBytes += bytes
      const before = tails.get(key)
      const result = before ? before.then(work) : work()
      // What follows waits for the end, not for the success.
      const tail = result.then(ended, ended)
      function ended(): void {
        held--
        heldBytes -= bytes
        if (tails.get(key) === tail) tails.delete(key)
        changed()
      }
      tails.set(key, tail)
      return result
    },
  }
}
