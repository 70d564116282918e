// The port of locks. A lock saves work, it does not make an effect happen once: the effect's transaction does that
// by checking the fence it is given here.
import type { Database } from '../db/index.ts'
import { type Clock, messageOf, processId, randomId } from '../kernel/index.ts'
import { closeRedis, connectRedis, type Redis, ready } from '../redis/index.ts'
import { type Claims, openClaims } from './claim.ts'
import { type LockEmitter, lockEmitter } from './events.ts'
import { type Fence, issueFence } from './fence.ts'
import { keepClaim } from './keep.ts'
import { openTurns, type Turns } from './turns.ts'
import { majorityOf } from './vote.ts'
import { takeKey } from './wait.ts'

/** A lock while its work runs. */
export interface Held extends Fence {
  /** Aborts with LOCK_LOST at the true deadline, also when Redis is frozen, or with the caller's signal. */
  readonly signal: AbortSignal
  /** Time for which the lock is certain, ms; below 0 once it is not. For a last look before an effect outside. */
  remainingMs(): number
}

export interface HoldOptions {
  /** Life of the lock without extension, ms. Default 10,000. */
  readonly ttlMs?: number
  /** How long to wait for another holder, ms. Default 0. */
  readonly waitMs?: number
  /** Ends the waiting, and aborts the work. */
  readonly signal?: AbortSignal
}

/** `unavailable`: fewer than a majority of the servers answered in time. */
export type HoldResult<T> =
  | { readonly held: true; readonly value: T }
  | { readonly held: false; readonly reason: 'taken' | 'unavailable' }

export interface Locks {
  readonly events: LockEmitter
  /**
   * Runs `work` while holding the resource, extending the lock as long as it runs. What `work` throws is thrown
   * after the release. A lock that was lost does not interrupt `work`, whose signal aborts: `hold` waits for it.
   */
  hold<T>(resource: string, work: (held: Held) => Promise<T>, options?: HoldOptions): Promise<HoldResult<T>>
  /** Closes the connections. What is held expires by itself. */
  close(): Promise<void>
}

export interface LocksOptions {
  /** Independent servers; an odd number, since a majority of them decides. */
  readonly urls: readonly string[]
  /** Issues the tokens; the same database that records the effects. */
  readonly database: Database
  readonly clock: Clock
  /** How a resource is named in Redis. */
  readonly names: { key(resource: string): string; turns(process: string): string }
  /**
   * For how long a waiter whose turn it is may leave the lock alone before the next one gets it, ms. Default 250: long
   * against a pause of a busy process, short against the life of a lock.
   */
  readonly patienceMs?: number
}

// Once, at the first use: from then on a server that is away costs nothing, and a frozen one its command timeout.
const CONNECT_MS = 1_000
// How much longer than the majority the others may take for that.
const STRAGGLE_MS = 200

interface Open {
  readonly options: LocksOptions
  readonly claims: Claims
  readonly turns: Turns
  readonly events: LockEmitter
  /** Connects at the first use. */
  connected(): Promise<void>
}

/** Connects at the first `hold`, not before. */
export function openLocks(options: LocksOptions): Locks {
  const { urls, clock, names } = options
  const events = lockEmitter()
  const disturb = (where: string, server: number, error: unknown) =>
    events.emit('disturbed', { where, server, reason: messageOf(error) })
  const clients = urls.map((url) => connectRedis(url, 'lock', { name: 'locks' }))
  const claims = openClaims({
    clients,
    clock,
    patienceMs: options.patienceMs ?? 250,
    onError: disturb,
  })
  const channel = names.turns(`${processId}:${randomId().slice(0, 8)}`)
  const turns = openTurns({
    urls,
    channel,
    clock,
    onError: (server, error) => disturb(channel, server, error),
    onStray: (server, key, member) => claims.leave(key, member, server),
  })
  let connecting: Promise<void> | undefined
  const open: Open = {
    options,
    claims,
    turns,
    events,
    connected() {
      connecting ??= connectMost(clients, clock)
      return connecting
    },
  }
  return {
    events,
    hold: (resource, work, how = {}) => hold(open, resource, work, how),
    async close() {
      await Promise.all([...clients.map(closeRedis), turns.close()])
    },
  }
}

/** A server that is away shows in the vote. */
async function connectMost(clients: readonly Redis[], clock: Clock): Promise<void> {
  const [most, all] = [new AbortController(), new AbortController()]
  let missing = majorityOf(clients.length)
  const each = clients.map(async (client) => {
    await ready(client, CONNECT_MS)
    if (--missing === 0) most.abort()
  })
  void Promise.allSettled(each).then(() => all.abort())
  await clock.sleep(CONNECT_MS, AbortSignal.any([most.signal, all.signal]))
  await clock.sleep(STRAGGLE_MS, all.signal)
}

async function hold<T>(
  open: Open,
  resource: string,
  work: (held: Held) => Promise<T>,
  how: HoldOptions,
): Promise<HoldResult<T>> {
  const { options, events, claims, turns } = open
  const { clock, database, names } = options
  const ttlMs = how.ttlMs ?? 10_000
  const askedAt = clock.monotonic()
  await open.connected()
  const attempt = await takeKey({
    claims,
    turns,
    clock,
    key: names.key(resource),
    ttlMs,
    waitMs: how.waitMs ?? 0,
    signal: how.signal,
    onPlace: (ahead) => events.emit('waiting', { resource, ahead }),
  })
  const waitedMs = clock.monotonic() - askedAt
  const refuse = (reason: 'taken' | 'unavailable') => {
    events.emit('refused', { resource, reason, waitedMs })
    return { held: false as const, reason }
  }
  if ('refused' in attempt) return refuse(attempt.refused)
  const { claim } = attempt
  const wonAt = clock.monotonic()
  const kept = keepClaim({
    resource,
    claim,
    ttlMs,
    clock,
    onExtended: (remainingMs) => events.emit('extended', { resource, remainingMs }),
    onLost: (reason) => events.emit('lost', { resource, reason }),
  })
  try {
    const fence = await database.write((tx) => issueFence(tx, resource, processId))
    if (kept.remainingMs() <= 0 || kept.signal.aborted) return refuse('unavailable')
    events.emit('acquired', { resource, token: fence.token, waitedMs })
    const signal = how.signal ? AbortSignal.any([kept.signal, how.signal]) : kept.signal
    return { held: true, value: await work({ ...fence, signal, remainingMs: kept.remainingMs }) }
  } finally {
    await kept.stop()
    await claim.release()
    events.emit('released', { resource, heldMs: clock.monotonic() - wonAt })
  }
}
