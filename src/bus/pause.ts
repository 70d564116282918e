// Whether a group is paused, as its consumers know it. A look is one command each half second for a whole consumer,
// whatever the number of its partitions; while Redis is away what was seen last holds.
import { afterMs } from '../kernel/index.ts'
import type { Slots } from './lanes.ts'
import { disturb, insist, isPassing, type Link, unlessAborted } from './link.ts'
import { type Stream, streamKeys } from './stream.ts'

const LOOK_MS = 500

export interface Pause {
  /** As of the last look; true until the first one. */
  readonly isPaused: () => boolean
  /** Resolves once the group may take more, when the signal aborts, or after `waitMs`; at once while it may. */
  passed(signal: AbortSignal, waitMs?: number): Promise<void>
}

interface Watched {
  readonly stream: Stream<unknown>
  readonly group: string
}

/** Looks until the signal aborts. */
export function watchPause(link: Link, { stream, group }: Watched, signal: AbortSignal): Pause {
  const { paused } = streamKeys(stream.name)
  const where = `pause of ${group}`
  let isPaused = true
  let gate = Promise.withResolvers<void>()
  let wasSeenPaused = false
  const set = (value: boolean) => {
    if (value !== wasSeenPaused)
      link.events.emit(value ? 'paused' : 'resumed', { stream: stream.name, group })
    wasSeenPaused = value
    if (isPaused && !value) gate.resolve()
    if (!isPaused && value) gate = Promise.withResolvers()
    isPaused = value
  }
  void (async () => {
    while (!signal.aborted) {
      try {
        const found = await unlessAborted(signal, () =>
          insist(link, where, signal, (client) => client.hexists(paused, group)),
        )
        set(found === 1)
      } catch (error) {
        if (signal.aborted) return
        disturb(link, where, error)
        // A key of another type says nothing about a pause, and must not stop everybody.
        if (!isPassing(error)) set(false)
      }
      await link.clock.sleep(LOOK_MS, signal)
    }
  })()
  return {
    isPaused: () => isPaused,
    async passed(until, waitMs) {
      if (!isPaused || until.aborted) return
      const late = new AbortController()
      const over = AbortSignal.any([until, late.signal])
      const cancel = waitMs === undefined ? () => {} : afterMs(waitMs, () => late.abort())
      while (isPaused && !over.aborted) await unlessAborted(over, () => gate.promise).catch(() => {})
      cancel()
    },
  }
}

/** Slots in which nothing begins while the group is paused: neither what was read before, nor a further attempt. */
export function pausable(slots: Slots, pause: Pause, until: AbortSignal): Slots {
  let waiting: (() => void)[] = []
  const goOn = () => {
    const begin = waiting
    waiting = []
    for (const enter of begin) enter()
  }
  const enter: Slots['enter'] = (work, alone) =>
    slots.enter((leave) => {
      if (!pause.isPaused() || until.aborted) return work(leave)
      // Not in this call: with many that wait for a slot it would go ever deeper.
      queueMicrotask(leave)
      waiting.push(() => enter(work, alone))
      if (waiting.length === 1) void pause.passed(until).then(goOn)
    }, alone)
  return { below: slots.below, enter }
}
