// One key on one or more independent servers, by redlock. Redlock decides by majority; what it leaves out is here:
// validity by the monotonic clock from before the request (its own is the wall clock, which jumps), telling
// "another holds it" from "nobody answered", and a place in the queue of those who wait.
import type Redlock from 'redlock'
import type { Clock } from '../kernel/index.ts'
import { type Redis, runScript } from '../redis/index.ts'
import { type LockScripts, lockKeys, lockScripts } from './scripts.ts'
import { majorityOf, openVotes, type VoteOptions } from './vote.ts'

export interface ClaimsOptions {
  readonly clients: readonly Redis[]
  readonly clock: Clock
  /** For how long a waiter whose turn it is may leave the key alone before the next one gets it, ms. */
  readonly patienceMs: number
  readonly onError: (key: string, server: number, error: Error) => void
}

/** One who stands in the queue for a key. */
export interface Waiter {
  /** `<channel>/<id>`: where it is told that its turn has come. */
  readonly member: string
  /** Its place, once it has one; the same on all servers. */
  readonly ticket?: number | undefined
}

export interface Place {
  readonly ticket: number
  /** How many stand in front. */
  readonly ahead: number
  /** When the key is free again if its holder does nothing, ms. */
  readonly freeMs: number
  /** Not yet so on every server: to be said once more. */
  readonly isProvisional: boolean
}

export interface Claim {
  /** Monotonic ms up to which a majority of the servers keeps the key for certain. */
  deadline(): number
  /** `replaced`: a majority cannot be had any more. `unclear`: too few of the servers answered. */
  extend(): Promise<'extended' | 'replaced' | 'unclear'>
  /** Deletes the key where it is still ours. False when no majority said so: then it expires by itself. */
  release(): Promise<boolean>
}

export interface Refusal {
  readonly refused: 'taken' | 'unavailable'
  /** Of the waiter that asked, when a server answered. */
  readonly place?: Place | undefined
}

export type Attempt = { readonly claim: Claim } | Refusal

export interface Claims {
  /** Asks every server once, and queues the waiter where it is refused. Never answers with an expired claim. */
  attempt(key: string, ttlMs: number, waiter?: Waiter): Promise<Attempt>
  /** Takes a waiter out of the queue, on one server or on all; who comes next then is told. Does not wait for it. */
  leave(key: string, member: string, server?: number): void
}

interface Shop extends ClaimsOptions {
  readonly scripts: LockScripts
  readonly vote: ReturnType<typeof openVotes>
}

export function openClaims(options: ClaimsOptions): Claims {
  const { clients, patienceMs, onError } = options
  const scripts = lockScripts({ patienceMs, countsAll: !clients.some((client) => client.isCluster) })
  const shop: Shop = { ...options, scripts, vote: openVotes(clients.length, scripts) }
  return {
    attempt: (key, ttlMs, waiter) => attempt(shop, key, ttlMs, waiter),
    leave(key, member, only) {
      for (const [server, client] of clients.entries()) {
        if (only !== undefined && only !== server) continue
        const left = runScript(client, scripts.release, lockKeys(key), ['', member, ''])
        left.catch((error: Error) => onError(key, server, error))
      }
    },
  }
}

async function attempt(shop: Shop, key: string, ttlMs: number, waiter?: Waiter): Promise<Attempt> {
  const { clock, clients, scripts, onError } = shop
  const keys = lockKeys(key)
  const place = waiter ? [waiter.member, waiter.ticket ?? ''] : []
  const refusing: boolean[] = []
  const places: number[][] = []
  const startedAt = clock.monotonic()
  const { redlock, tally } = shop.vote({
    step: 'lock',
    ask(server, step, value, lifeMs) {
      if (step === 'lock') return runScript(clients[server]!, scripts.lock, keys, [value, lifeMs, ...place])
      // Redlock undoes a vote that was lost. The place in the queue stays until the waiter leaves it.
      return refusing[server]
        ? undefined
        : runScript(clients[server]!, scripts.release, keys, [value, ...place])
    },
    onAnswer(server, said) {
      if (said !== 1) refusing[server] = true
      if (Array.isArray(said)) places.push(said.map(Number))
    },
    onError: (server, error) => onError(key, server, error),
  })
  let lock: Redlock.Lock
  try {
    lock = await redlock.lock(key, ttlMs)
  } catch (error) {
    throwUnlessLost(error)
    const majority = majorityOf(clients.length)
    const isTaken = tally.yes < majority && tally.yes + tally.no >= majority
    return { refused: isTaken ? 'taken' : 'unavailable', place: agree(places, clients.length) }
  }
  const claim = holdClaim(shop, { key, ttlMs, waiter, lock, until: startedAt + validMs(ttlMs) })
  if (claim.deadline() > clock.monotonic()) return { claim }
  await claim.release()
  return { refused: 'unavailable' }
}

/** What the servers said about a waiter's place, as a majority of them has it; the latest ticket is the ticket. */
function agree(places: readonly number[][], servers: number): Place | undefined {
  if (places.length === 0) return undefined
  const column = (index: number) => places.map((place) => place[index]!).sort((a, b) => a - b)
  const middle = Math.min(majorityOf(servers), places.length) - 1
  const tickets = column(0)
  return {
    ticket: tickets.at(-1)!,
    ahead: column(1)[middle]!,
    freeMs: column(2)[middle]!,
    isProvisional: servers > 1 && (places.length < servers || tickets[0] !== tickets.at(-1)),
  }
}

interface Holding {
  readonly key: string
  readonly ttlMs: number
  readonly waiter: Waiter | undefined
  readonly lock: Redlock.Lock
  readonly until: number
}

function holdClaim(shop: Shop, { key, ttlMs, waiter, lock, until }: Holding): Claim {
  const { clock, clients, scripts, vote } = shop
  const keys = lockKeys(key)
  const place = waiter ? [waiter.member, ''] : []
  let deadline = until
  const onError = (server: number, error: Error) => shop.onError(key, server, error)
  const extending: VoteOptions = {
    step: 'extend',
    // After a failed extension redlock deletes the key, so one late answer would give away a lock that is valid for
    // two thirds of its life. The key is left alone here.
    ask: (server, step, value, lifeMs) =>
      step === 'extend' ? runScript(clients[server]!, scripts.extend, keys, [value, lifeMs]) : undefined,
    onError,
  }
  const releasing: VoteOptions = {
    step: 'unlock',
    ask: (server, _step, value) => runScript(clients[server]!, scripts.release, keys, [value, ...place]),
    onError,
  }
  return {
    deadline: () => deadline,
    async extend() {
      const startedAt = clock.monotonic()
      const { redlock, tally } = vote(extending)
      // Redlock would compare this with the wall clock; the deadline is ours to watch.
      lock.expiration = Number.MAX_SAFE_INTEGER
      try {
        await redlock.extend(lock, ttlMs)
      } catch (error) {
        throwUnlessLost(error)
        return clients.length - tally.no < majorityOf(clients.length) ? 'replaced' : 'unclear'
      }
      deadline = startedAt + validMs(ttlMs)
      return 'extended'
    },
    async release() {
      try {
        await vote(releasing).redlock.unlock(lock)
        return true
      } catch (error) {
        throwUnlessLost(error)
        return false
      }
    },
  }
}

/** Redlock's allowance for clocks that run apart: 1 %, and 2 ms for the resolution of Redis expiry. */
const validMs = (ttlMs: number) => ttlMs - Math.ceil(ttlMs * 0.01) - 2

/** A vote that was lost is an answer, not an exception. */
function throwUnlessLost(error: unknown): void {
  if (!(error instanceof Error && error.name === 'LockError')) throw error
}
