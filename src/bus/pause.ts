// Whether a group is paused, as its consumers know it. A look is one command each half second for a whole consumer,
// whatever the number of its partitions; while Redis is away what was seen last holds.
import { messageOf } from '../kernel/index.ts'
import { insist, isPassing, type Link, unlessAborted } from './link.ts'
import { type Stream, streamKeys } from './stream.ts'

const LOOK_MS = 500

export interface Pause {
  /** As of the last look; true until the first one. */
  readonly isPaused: () => boolean
  /** Resolves once the group may take more, or when the signal aborts; at once while it is not paused. */
  passed(signal: AbortSignal): Promise<void>
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
  const set = (value: boolean) => {
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
        link.events.emit('disturbed', { where, reason: messageOf(error) })
        // A key of another type says nothing about a pause, and must not stop everybody.
        if (!isPassing(error)) set(false)
      }
      await link.clock.sleep(LOOK_MS, signal)
    }
  })()
  return {
    isPaused: () => isPaused,
    async passed(until) {
      while (isPaused && !until.aborted) {
        await unlessAborted(until, () => gate.promise).catch(() => {})
      }
    },
  }
}
