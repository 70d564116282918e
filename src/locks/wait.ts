// Waiting for a key in order of arrival. Whoever waits stands in a queue on every server and asks again when told that
// its turn has come, when the holder's time is over, and now and then, because a message may be lost and a server
// forgets those who say nothing.
import type { Clock } from '../kernel/index.ts'
import type { Attempt, Claims, Place } from './claim.ts'
import type { Turns } from './turns.ts'

export interface WaitOptions {
  readonly claims: Claims
  readonly turns: Turns
  readonly clock: Clock
  readonly key: string
  readonly ttlMs: number
  readonly waitMs: number
  readonly signal: AbortSignal | undefined
  /** How many stand in front of us; told again when that changes. */
  readonly onPlace: (ahead: number) => void
}

// The two in front notice a lost message, or a neighbour that stands still. The others only show that they live.
const NEAR_MS = 100
const FAR_MS = 500

/** Asks until the key is had, `waitMs` is over, or the signal aborts. */
export async function takeKey(options: WaitOptions): Promise<Attempt> {
  const { claims, turns, key, ttlMs, waitMs, clock } = options
  const until = clock.monotonic() + waitMs
  // Only who can be told may stand in the queue: the others would be taken for dead.
  if (waitMs <= 0 || !turns.isOpen()) {
    const first = await claims.attempt(key, ttlMs)
    if ('claim' in first || waitMs <= 0) return first
    await turns.opened()
  }
  return queueForKey(options, until)
}

async function queueForKey(options: WaitOptions, until: number): Promise<Attempt> {
  const { claims, turns, clock, key, ttlMs, signal, onPlace } = options
  const seat = turns.enter()
  let [ticket, ahead]: (number | undefined)[] = []
  try {
    for (;;) {
      const latest = await claims.attempt(key, ttlMs, { member: seat.member, ticket })
      if ('claim' in latest) return latest
      const { place } = latest
      const isNew = ticket === undefined
      ticket ??= place?.ticket
      if (place && place.ahead !== ahead) {
        ahead = place.ahead
        onPlace(ahead)
      }
      const leftMs = until - clock.monotonic()
      if (leftMs <= 0 || signal?.aborted) {
        claims.leave(key, seat.member)
        return latest
      }
      // The servers gave different tickets, or not all gave one; all of them learn the latest at once.
      if (isNew && place?.isProvisional) continue
      await seat.told(Math.min(leftMs, pauseMs(place)), signal)
    }
  } finally {
    seat.close()
  }
}

function pauseMs(place: Place | undefined): number {
  if (!place || place.ahead === 1) return NEAR_MS
  if (place.ahead > 1) return FAR_MS
  // The first one is there when the holder's time ends; 5 ms at least, for a key whose end is being put off.
  return Math.min(NEAR_MS, Math.max(5, place.freeMs + 1))
}
