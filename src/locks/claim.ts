// One key on one or more independent servers, by redlock. Redlock decides by majority; what it leaves out is here:
// validity by the monotonic clock from before the request (its own is the wall clock, which jumps), telling
// "another holds it" from "nobody answered", and a place in the queue of those who wait.
import type Redlock from 'redlock'
import type { Clock } from '../kernel/index.ts'
import { type Redis, runScript, type Script } from '../redis/index.ts'
import { EXTEND, LOCK, lockKeys, RELEASE } from './scripts.ts'
import { type Ask, openVotes, type VoteOptions } from './vote.ts'

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
  /** Takes a waiter out of the queue, on one server or on all; whose turn it is then is told. */
  leave(key: string, member: string, server?: number): Promise<void>
}

interface Shop extends ClaimsOptions {
  readonly vote: ReturnType<typeof openVotes>
  send(script: Script, server: number, key: string, args: readonly (string | number)[]): Promise<unknown>
}

export function openClaims(options: ClaimsOptions): Claims {
  const { clients, onError } = options
  const shop: Shop = {
    ...options,
    vote: openVotes(clients.length),
    async send(script, server, key, args) {
      try {
        return await runScript(clients[server]!, script, lockKeys(key), args)
      } catch (error) {
        onError(key, server, error as Error)
        throw error
      }
    },
  }
  return {
    attempt: (key, ttlMs, waiter) => attempt(shop, key, ttlMs, waiter),
    async leave(key, member, server) {
      const left = clients.map((_, each) =>
        server === undefined || server === each
          ? shop.send(RELEASE, each, key, ['', member, '', ...manners(shop, each)])
          : undefined,
      )
      await Promise.allSettled(left)
    },
  }
}

async function attempt(shop: Shop, key: string, ttlMs: number, waiter?: Waiter): Promise<Attempt> {
  const { clock, clients } = shop
  const [member, ticket] = [waiter?.member ?? '', waiter?.ticket ?? '']
  const refusing = new Set<number>()
  const places: number[][] = []
  const ask: Ask = async (server, step, value, lifeMs) => {
    if (step === 'unlock') {
      // Redlock undoes a vote that was lost. The place in the queue stays until the waiter leaves it.
      if (!refusing.has(server))
        await shop.send(RELEASE, server, key, [value, member, ticket, ...manners(shop, server)])
      return true
    }
    const said = await shop.send(LOCK, server, key, [value, lifeMs, member, ticket, ...manners(shop, server)])
    if (said === 1) return true
    refusing.add(server)
    if (Array.isArray(said)) places.push(said.map(Number))
    return false
  }
  const startedAt = clock.monotonic()
  const vote = shop.vote({ ask, step: 'lock' })
  const lock = await orUndefined(vote.redlock.lock(key, ttlMs))
  if (!lock) {
    const isTaken =
      vote.yes() < majorityOf(clients.length) && vote.yes() + vote.no() >= majorityOf(clients.length)
    return { refused: isTaken ? 'taken' : 'unavailable', place: agree(places, clients.length) }
  }
  const claim = holdClaim(shop, { key, ttlMs, member, lock, until: startedAt + validMs(ttlMs) })
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
  readonly member: string
  readonly lock: Redlock.Lock
  readonly until: number
}

function holdClaim(shop: Shop, { key, ttlMs, member, lock, until }: Holding): Claim {
  const { clock, clients } = shop
  let deadline = until
  const extending: VoteOptions = {
    step: 'extend',
    // After a failed extension redlock deletes the key, so one late answer would give away a lock that is valid for
    // two thirds of its life. The key is left alone here.
    ask: async (server, step, value, lifeMs) =>
      step === 'extend' && (await shop.send(EXTEND, server, key, [value, lifeMs])) === 1,
  }
  const releasing: VoteOptions = {
    step: 'unlock',
    ask: async (server, _step, value) =>
      (await shop.send(RELEASE, server, key, [value, member, '', ...manners(shop, server)])) === 1,
  }
  return {
    deadline: () => deadline,
    async extend() {
      const startedAt = clock.monotonic()
      const vote = shop.vote(extending)
      // Redlock would compare this with the wall clock; the deadline is ours to watch.
      lock.expiration = Number.MAX_SAFE_INTEGER
      if (!(await orUndefined(vote.redlock.extend(lock, ttlMs)))) {
        return clients.length - vote.no() < majorityOf(clients.length) ? 'replaced' : 'unclear'
      }
      deadline = startedAt + validMs(ttlMs)
      return 'extended'
    },
    async release() {
      const { redlock } = shop.vote(releasing)
      return (await orUndefined(redlock.unlock(lock).then(() => true))) ?? false
    },
  }
}

/** In a cluster PUBLISH counts the listeners of its own node only, so that nobody listens there says nothing. */
const manners = ({ clients, patienceMs }: Shop, server: number): readonly [number, number] => [
  patienceMs,
  'isCluster' in clients[server]! && clients[server].isCluster ? 0 : 1,
]

/** Redlock's allowance for clocks that run apart: 1 %, and 2 ms for the resolution of Redis expiry. */
const validMs = (ttlMs: number) => ttlMs - Math.ceil(ttlMs * 0.01) - 2

const majorityOf = (servers: number) => Math.floor(servers / 2) + 1

/** What redlock decides against is an answer, not an exception. */
async function orUndefined<T>(decision: PromiseLike<T>): Promise<T | undefined> {
  try {
    return await decision
  } catch (error) {
    if (error instanceof Error && error.name === 'LockError') return undefined
    throw error
  }
}
