// Where the waiters of a process are told that their turn has come: one channel for all of them, so that a release
// wakes one process and one waiter in it, however many stand in the queue.
import type { Clock } from '../kernel/index.ts'
import { openBell, openWakes } from '../redis/index.ts'
import { majorityOf } from './vote.ts'

export interface TurnsOptions {
  readonly urls: readonly string[]
  readonly channel: string
  readonly clock: Clock
  readonly onError: (server: number, error: unknown) => void
  /** A turn came for somebody who does not wait any more; the server should know. */
  readonly onStray: (server: number, key: string, member: string) => void
}

export interface Seat {
  /** The waiter's name in the queue. */
  readonly member: string
  /**
   * Resolves when a majority of the servers has said since the last call that the turn has come; also after `ms`,
   * or when the signal aborts.
   */
  told(ms: number, signal?: AbortSignal): Promise<void>
  close(): void
}

export interface Turns {
  /** True once the subscription is confirmed: whoever waits before that is told nothing. */
  isOpen(): boolean
  /** Connects at the first call. Resolves when all servers have confirmed, or some of them after a while. */
  opened(): Promise<void>
  enter(): Seat
  close(): Promise<void>
}

// As long as a command to a lock server may take: one that is frozen is not waited for.
const CONFIRM_MS = 200
// The servers of one release speak within this of each other; one whose word was lost is not waited for.
const GRACE_MS = 5

/** A bell of its own, and which servers have rung it. */
interface Waiting {
  readonly said: Set<number>
  ring(): void
}

export function openTurns({ urls, channel, clock, onError, onStray }: TurnsOptions): Turns {
  const majority = majorityOf(urls.length)
  const seats = new Map<string, Waiting>()
  let entered = 0
  let opening: Promise<void> | undefined
  let isOpen = false
  const report = (_channel: string, server: number, error: unknown) => onError(server, error)
  const wakes = openWakes({ urls, clock, name: 'lock-turns', onError: report })

  const hear = (server: number, text: string | undefined) => {
    // While the connection was away anybody's turn may have come, and the server may take them all for dead.
    if (text === undefined) {
      for (const seat of seats.values()) seat.ring()
      return
    }
    const end = text.indexOf(' ')
    const [id, key] = [text.slice(0, end), text.slice(end + 1)]
    const seat = seats.get(id)
    if (!seat) return onStray(server, key, `${channel}/${id}`)
    seat.said.add(server)
    seat.ring()
  }
  const open = async () => {
    const wake = wakes.watch(channel, hear)
    const until = clock.monotonic() + CONFIRM_MS
    for (let leftMs = CONFIRM_MS; leftMs > 0 && wake.confirmed() < urls.length; ) {
      await wake.next(leftMs)
      leftMs = until - clock.monotonic()
    }
    isOpen = true
  }

  return {
    isOpen: () => isOpen,
    opened() {
      opening ??= open()
      return opening
    },
    enter() {
      const id = String(++entered)
      const bell = openBell(clock)
      const said = new Set<number>()
      seats.set(id, { said, ring: bell.ring })
      return {
        member: `${channel}/${id}`,
        async told(ms, signal) {
          await bell.next(ms, signal)
          const until = clock.monotonic() + GRACE_MS
          for (let leftMs = GRACE_MS; said.size > 0 && said.size < majority && leftMs > 0; ) {
            await bell.next(leftMs, signal)
            if (signal?.aborted) break
            leftMs = until - clock.monotonic()
          }
          said.clear()
        },
        close: () => void seats.delete(id),
      }
    },
    close: () => wakes.close(),
  }
}
