// Lanes: work of one key runs in order, work of different keys side by side, all of it within one limit.

export interface Lanes {
  /** The work of one partition, of which at most `max` pieces wait or run at once. */
  hold(max: number): Hold
}

export interface Hold {
  /** Resolves when there is room for more. */
  room(): Promise<void>
  /** Runs after the earlier work of the same key, as soon as the limit allows; settles like `work`. */
  run(key: string, work: () => Promise<void>): Promise<void>
  /** Resolves when nothing waits or runs. */
  idle(): Promise<void>
}

export function openLanes(concurrency: number): Lanes {
  let free = concurrency
  const queue: (() => void)[] = []
  const enter = (): Promise<void> | undefined => {
    if (free > 0) {
      free--
      return undefined
    }
    return new Promise((resolve) => queue.push(resolve))
  }
  const leave = () => {
    const next = queue.shift()
    if (next) next()
    else free++
  }
  return { hold: (max) => openHold(max, enter, leave) }
}

function openHold(max: number, enter: () => Promise<void> | undefined, leave: () => void): Hold {
  const tails = new Map<string, Promise<void>>()
  let held = 0
  let watchers: (() => void)[] = []
  const changed = () => {
    const told = watchers
    watchers = []
    for (const tell of told) tell()
  }
  const until = async (condition: () => boolean) => {
    while (!condition()) await new Promise<void>((resolve) => watchers.push(resolve))
  }

  async function go(before: Promise<void> | undefined, work: () => Promise<void>): Promise<void> {
    await before
    await enter()
    try {
      await work()
    } finally {
      leave()
    }
  }

  return {
    room: () => until(() => held < max),
    idle: () => until(() => held === 0),
    run(key, work) {
      held++
      const result = go(tails.get(key), work)
      // What follows waits for the end, not for the success.
      const tail = result.then(ended, ended)
      function ended(): void {
        held--
        if (tails.get(key) === tail) tails.delete(key)
        changed()
      }
      tails.set(key, tail)
      return result
    },
  }
}
