// An opportunity becomes two orders, at most once. The order of steps is the safety: decide and reserve in one
// transaction under the fence, send only after its commit, ask before sending again, settle under the fence.
// docs/EXECUTION.md names each step and what happens when it fails.
import { RetryAfter } from '../bus/index.ts'
import { executeLock, type Opportunity } from '../catalog/index.ts'
import { type Database, isPassing } from '../db/index.ts'
import { type Clock, type Decimal, decimalText, isSluiceError, messageOf } from '../kernel/index.ts'
import type { Held, Locks } from '../locks/index.ts'
import type { Venue } from '../venues/index.ts'
import { decide } from './decide.ts'
import type { ArbitrageEmitter } from './events.ts'
import { completeLegs } from './legs.ts'
import { checkRisk, type Denial } from './risk.ts'
import { type Enqueue, settle } from './settle.ts'
import { type Execution, findExecution, insertRefusal } from './store.ts'

export interface ExecutorOptions {
  readonly database: Database
  readonly locks: Locks
  readonly clock: Clock
  readonly venue: (name: string) => Venue | undefined
  /** Why the entries that it names do not bear it out, if they do not (`checkSources`). */
  readonly sources: (opportunity: Opportunity) => Promise<Denial | undefined>
  /** Event: orders carry the recording's time, so that a replay is a function of its file. */
  readonly time: 'wall' | 'event'
  /** Wall time only, ms: how long ago, and how far in the future by its stamp, it may have been seen first. */
  readonly maxAgeMs: number
  readonly maxAheadMs: number
  readonly minEdgeBps: number
  /** Quote units. */
  readonly maxNotional: Decimal
  readonly enqueue: Enqueue
  readonly events: ArbitrageEmitter
  /** Default 5,000: what a killed executor held is free as soon as its partitions are. */
  readonly lockTtlMs?: number
  /** How long a silent venue is asked before the execution is left for its next delivery, ms. Default 5,000. */
  readonly patienceMs?: number
}

/**
 * Resolves when the opportunity is decided for good. Throws RetryAfter when not now: the lock is another's, the
 * venue is silent, a server is away. Once its intents are written an execution is never given up.
 */
export type Execute = (opportunity: Opportunity, signal: AbortSignal) => Promise<void>

const RETRY_MS = 250

export function openExecutor(options: ExecutorOptions): Execute {
  const { database, locks } = options
  return async (opportunity, signal) => {
    if (opportunity.phase === 'closed') return
    let isPending = false
    try {
      const known = await database.read((tx) => findExecution(tx, opportunity.id))
      const decided = known ?? (await refuse(options, opportunity))
      isPending = decided?.status === 'pending'
      if (decided && !isPending) return
      const outcome = await locks.hold(
        executeLock(opportunity.symbol),
        (held) => executeHeld(options, opportunity, held),
        { ttlMs: options.lockTtlMs ?? 5_000, signal },
      )
      if (!outcome.held)
        throw new RetryAfter(RETRY_MS, `the lock of ${opportunity.symbol} is ${outcome.reason}`)
    } catch (error) {
      throw isPending || isWaitedFor(error) ? postpone(options, opportunity, error) : error
    }
  }
}

/**
 * Writes the refusal when the opportunity must not be executed, and returns the decision that stands. That may be a
 * pending one: no lock is held here, so a former owner of the partition may have decided meanwhile, and whoever
 * acknowledges its execution without finishing it would leave orders that nobody asks for.
 */
async function refuse(options: ExecutorOptions, opportunity: Opportunity): Promise<Execution | undefined> {
  const { clock, time, maxAgeMs, maxAheadMs, minEdgeBps, venue, sources, database, events } = options
  const age = { nowMs: clock.now(), limitMs: maxAgeMs, aheadMs: maxAheadMs }
  const later = (error: unknown): never => {
    throw postpone(options, opportunity, error)
  }
  const checked = checkRisk(opportunity, { venue, minEdgeBps, age: time === 'wall' ? age : undefined })
  const denial = 'code' in checked ? checked : await sources(opportunity).catch(later)
  if (!denial) return undefined
  const decidedAt = decisionTime(options, opportunity)
  const { isNew, stands } = await database.write(async (tx) => ({
    isNew: await insertRefusal(tx, opportunity, denial, decidedAt),
    stands: await findExecution(tx, opportunity.id),
  }))
  if (isNew) events.emit('refused', { opportunityId: opportunity.id, symbol: opportunity.symbol, ...denial })
  return stands
}

async function executeHeld(options: ExecutorOptions, opportunity: Opportunity, held: Held): Promise<void> {
  const { database, clock, events, enqueue } = options
  const about = { opportunityId: opportunity.id, symbol: opportunity.symbol }
  const startedAt = clock.monotonic()
  const decidedAt = decisionTime(options, opportunity)
  const decision = await database.write((tx) => decide(tx, held, { ...options, opportunity, decidedAt }))
  if (decision.kind === 'done') return
  if (decision.kind === 'refused') {
    events.emit('refused', { ...about, ...decision.denial })
    return
  }
  if (decision.kind === 'recovered') events.emit('recovered', { ...about, token: held.token })
  try {
    const { legs, exposed } = await completeLegs(options, opportunity, held, decision)
    const terms = { opportunity, legs, instrument: decision.instrument, reason: exposed?.reason, enqueue }
    const { outcome, profit } = await database.write((tx) => settle(tx, held, terms))
    const tookMs = clock.monotonic() - startedAt
    events.emit('executed', { ...about, outcome, profit: decimalText(profit), tookMs })
    if (exposed) events.emit('exposed', { ...about, ...exposed, residual: decimalText(exposed.residual) })
  } catch (error) {
    // Orders may be at the venue: no failure, not even a fault of ours, may end in the dead letters.
    throw postpone(options, opportunity, error)
  }
}

/** ms UTC; a retry reads it back from the intents, so that the order it sends is identical. */
const decisionTime = ({ time, clock }: ExecutorOptions, opportunity: Opportunity) =>
  Math.round(time === 'event' ? opportunity.openedAt : clock.now())

const WAITED_FOR = ['FENCED', 'LOCK_LOST', 'REDIS_UNAVAILABLE'] as const

const isWaitedFor = (error: unknown) =>
  isPassing(error) || WAITED_FOR.some((code) => isSluiceError(error, code))

function postpone(options: ExecutorOptions, opportunity: Opportunity, error: unknown): RetryAfter {
  if (error instanceof RetryAfter) return error
  const reason = messageOf(error)
  const { id: opportunityId, symbol } = opportunity
  options.events.emit('postponed', { opportunityId, symbol, reason, inMs: RETRY_MS })
  return Object.assign(new RetryAfter(RETRY_MS, reason), { cause: error })
}
