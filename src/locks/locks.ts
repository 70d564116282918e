// The port of locks. A lock saves work, it does not make an effect happen once: the effect's transaction does that
// by checking the fence it is given here.
import type { Database } from '../db/index.ts'
import { type Clock, deriveId, processId } from '../kernel/index.ts'
import { closeRedis, connectRedis, openWakes, type Redis, ready, type Wakes } from '../redis/index.ts'
import { type Attempt, attemptClaim, type Claim } from './claim.ts'
import { type LockEmitter, lockEmitter } from './events.ts'
import { type Fence, issueFence } from './fence.ts'
import { keepClaim } from './keep.ts'

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
  readonly names: { key(resource: string): string; released(resource: string): string }
}

// Between two tries without a message; half of it is spread by name so that rivals do not stay in step.
const POLL_MS = 100
// Once, at the first use: from then on a server that is away costs nothing, and a frozen one its command timeout.
const CONNECT_MS = 1_000

interface Open {
  readonly options: LocksOptions
  readonly clients: readonly Redis[]
  readonly wakes: Wakes
  readonly events: LockEmitter
  /** Connects at the first use. */
  connected(): Promise<void>
}

/** Connects at the first `hold`, not before. */
export function openLocks(options: LocksOptions): Locks {
  const events = lockEmitter()
  const clients = options.urls.map((url) => connectRedis(url, 'lock', { name: 'locks' }))
  const wakes = openWakes({
    urls: options.urls,
    clock: options.clock,
    name: 'lock-wakes',
    onError: (resource, server, reason) => events.emit('disturbed', { resource, server, reason }),
  })
  let connecting: Promise<unknown> | undefined
  const open: Open = {
    options,
    clients,
    wakes,
    events,
    async connected() {
      // A server that is away shows in the vote.
      connecting ??= Promise.allSettled(clients.map((client) => ready(client, CONNECT_MS)))
      await connecting
    },
  }
  return {
    events,
    hold: (resource, work, how = {}) => hold(open, resource, work, how),
    async close() {
      await Promise.all([...clients.map(closeRedis), wakes.close()])
    },
  }
}

async function hold<T>(
  open: Open,
  resource: string,
  work: (held: Held) => Promise<T>,
  how: HoldOptions,
): Promise<HoldResult<T>> {
  const { options, events } = open
  const { clock, database } = options
  const ttlMs = how.ttlMs ?? 10_000
  const askedAt = clock.monotonic()
  await open.connected()
  const attempt = await take(open, resource, ttlMs, how)
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
    await release(open, resource, claim)
    events.emit('released', { resource, heldMs: clock.monotonic() - wonAt })
  }
}

async function take(open: Open, resource: string, ttlMs: number, how: HoldOptions): Promise<Attempt> {
  const { clock, names } = open.options
  const onError = (server: number, error: Error) =>
    open.events.emit('disturbed', { resource, server, reason: error.message })
  const attempt = () =>
    attemptClaim({ clients: open.clients, key: names.key(resource), ttlMs, clock, onError })

  const until = clock.monotonic() + (how.waitMs ?? 0)
  let latest = await attempt()
  if ('claim' in latest || clock.monotonic() >= until) return latest
  const wake = open.wakes.watch(names.released(resource))
  try {
    for (let tries = 1; 'refused' in latest; tries++) {
      const leftMs = until - clock.monotonic()
      if (leftMs <= 0 || how.signal?.aborted) break
      await wake.next(Math.min(leftMs, pollMs(resource, tries)), how.signal)
      if (!how.signal?.aborted) latest = await attempt()
    }
    return latest
  } finally {
    wake.close()
  }
}

const pollMs = (resource: string, tries: number) =>
  POLL_MS / 2 +
  (Number.parseInt(deriveId(processId, resource, tries).slice(0, 8), 16) / 2 ** 32) * (POLL_MS / 2)

async function release({ options, clients, events }: Open, resource: string, claim: Claim): Promise<void> {
  await claim.release()
  const channel = options.names.released(resource)
  const told = await Promise.allSettled(clients.map((client) => client.publish(channel, '')))
  for (const [server, outcome] of told.entries()) {
    if (outcome.status === 'fulfilled') continue
    events.emit('disturbed', { resource, server, reason: String(outcome.reason) })
  }
}
