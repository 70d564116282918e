// One key on one or more independent servers, by redlock. Redlock decides by majority; what it leaves out is here:
// validity by the monotonic clock from before the request (its own is the wall clock, which jumps), and telling
// "another holds it" from "nobody answered".
import Redlock from 'redlock'
import type { Clock } from '../kernel/index.ts'
import type { Redis } from '../redis/index.ts'

export interface ClaimOptions {
  readonly clients: readonly Redis[]
  readonly key: string
  readonly ttlMs: number
  readonly clock: Clock
  readonly onError: (server: number, error: Error) => void
}

export interface Claim {
  /** Monotonic ms up to which a majority of the servers keeps the key for certain. */
  deadline(): number
  /** `replaced`: the servers answered and the key is not ours. `unclear`: too few of them answered. */
  extend(): Promise<'extended' | 'replaced' | 'unclear'>
  /** Deletes the key where it is still ours. False when no majority said so: then it expires by itself. */
  release(): Promise<boolean>
}

export type Attempt = { readonly claim: Claim } | { readonly refused: 'taken' | 'unavailable' }

/** Asks every server once. Never answers with a claim that has already expired. */
export async function attemptClaim(options: ClaimOptions): Promise<Attempt> {
  const { clients, key, ttlMs, clock } = options
  const ballot = openBallot(options)
  const startedAt = clock.monotonic()
  let lock: Redlock.Lock
  try {
    lock = await new Redlock(ballot.servers, { retryCount: 0 }).lock(key, ttlMs)
  } catch (error) {
    if (!isLockError(error)) throw error
    const majority = Math.floor(clients.length / 2) + 1
    return { refused: clients.length - ballot.failed.size < majority ? 'unavailable' : 'taken' }
  }
  const claim = holdClaim(options, lock, startedAt + validMs(ttlMs))
  if (claim.deadline() > clock.monotonic()) return { claim }
  await claim.release()
  return { refused: 'unavailable' }
}

function holdClaim(options: ClaimOptions, lock: Redlock.Lock, until: number): Claim {
  const { ttlMs, clock } = options
  let deadline = until
  return {
    deadline: () => deadline,
    async extend() {
      const startedAt = clock.monotonic()
      const ballot = openBallot(options)
      // After a failed extension redlock deletes the key, so one late answer would give away a lock that is
      // valid for two thirds of its life. This instance leaves the key alone.
      const extender = new Redlock(ballot.servers, { retryCount: 0, unlockScript: () => 'return 0' })
      // Redlock would compare this with the wall clock; the deadline is ours to watch.
      lock.expiration = Number.MAX_SAFE_INTEGER
      try {
        await extender.extend(lock, ttlMs)
      } catch (error) {
        if (!isLockError(error)) throw error
        return ballot.failed.size === 0 ? 'replaced' : 'unclear'
      }
      deadline = startedAt + validMs(ttlMs)
      return 'extended'
    },
    async release() {
      try {
        await new Redlock(openBallot(options).servers, { retryCount: 0 }).unlock(lock)
        return true
      } catch (error) {
        if (!isLockError(error)) throw error
        return false
      }
    },
  }
}

/** Redlock's allowance for clocks that run apart: 1 %, and 2 ms for the resolution of Redis expiry. */
const validMs = (ttlMs: number) => ttlMs - Math.ceil(ttlMs * 0.01) - 2

const isLockError = (error: unknown) => error instanceof Error && error.name === 'LockError'

type Callback = (error: Error | null, result?: unknown) => void

/** The servers as redlock calls them, noting which of them failed to answer. */
function openBallot({ clients, onError }: ClaimOptions) {
  const failed = new Set<number>()
  const noting = (server: number, callback: Callback) => (error?: Error | null, result?: unknown) => {
    if (error && !error.message.startsWith('NOSCRIPT')) {
      failed.add(server)
      onError(server, error)
    }
    callback(error ?? null, result)
  }
  const servers = clients.map((client, server) => ({
    evalsha: (hash: string, args: (string | number)[], callback: Callback) =>
      client.call('EVALSHA', [hash, ...args], noting(server, callback)),
    eval: (args: (string | number)[], callback: Callback = () => {}) =>
      client.call('EVAL', args, noting(server, callback)),
  }))
  return { servers, failed }
}
