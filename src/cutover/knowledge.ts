// What this process knows about the phases, and since when. It asks the database twice a second, and at once when a
// message says that something has changed; so the message may be lost, and Redis may be away. While the database cannot
// be asked, the last known phases stay: a process that stops would lose more than one that goes on as it was told.
//
// What it may not do without knowing is to leave a store out (write.ts). Knowledge is good for that for `leaseMs` from
// the moment it was asked for. Whoever needs that nobody leaves a store out any more waits as long (settle.ts). A register
// of processes that confirm each change would be quicker, and wrong when it matters: one that was killed would hold up
// everybody, one that is just starting would be missed. A lease asks only for the clock of each process.
import type { Database } from '../db/index.ts'
import { type Clock, messageOf, repeat, runTasks, SluiceError, type Task } from '../kernel/index.ts'
import type { CutoverEmitter } from './events.ts'
import { type FeatureState, readStates } from './store.ts'

export interface Knowledge {
  /** The last known state. Throws CUTOVER_UNKNOWN before the first answer, USAGE for an unknown feature. */
  state(feature: string): FeatureState
  /** Asked for less than `leaseMs` ago. */
  isFresh(): boolean
  /**
   * Resolves once something is known; rejects with CUTOVER_UNKNOWN when the database cannot be asked. Where nobody
   * follows changes, what has become old is asked for anew, and not waited for.
   */
  ready(): Promise<void>
  /** Asks after this call has begun. Rejects with CUTOVER_UNKNOWN. */
  refresh(): Promise<void>
  /** Follows changes for as long as the process runs. */
  readonly task: Task
}

export interface KnowledgeOptions {
  readonly database: Database
  readonly clock: Clock
  readonly features: readonly string[]
  readonly events: CutoverEmitter
  /** Tells of changes, also each time when some may have been missed. */
  readonly listen: ((onChange: () => void) => Task) | undefined
  readonly pollMs: number
  readonly blindMs: number
  readonly leaseMs: number
}

interface Answer {
  readonly states: ReadonlyMap<string, FeatureState>
  /** Monotonic, from before the question. */
  readonly askedAt: number
}

export function openKnowledge(options: KnowledgeOptions): Knowledge {
  const { database, clock, features, events, leaseMs } = options
  let known: Answer | undefined
  let running: Promise<void> | undefined
  let next: Promise<void> | undefined
  const sight = openSight(options)

  async function ask(): Promise<void> {
    const askedAt = clock.monotonic()
    try {
      const states = await database.read((tx) => readStates(tx, features))
      const before = known?.states
      known = { states, askedAt }
      sight.saw()
      if (before) for (const state of states.values()) tellLearned(events, before.get(state.feature)!, state)
    } catch (error) {
      sight.failed(messageOf(error))
      const message = `The phases of the features cannot be read: ${messageOf(error)}`
      throw new SluiceError('CUTOVER_UNKNOWN', message, {}, error)
    }
  }
  function begin(): Promise<void> {
    next = undefined
    running = ask().finally(() => {
      running = undefined
    })
    return running
  }
  function refresh(): Promise<void> {
    if (!running) return begin()
    next ??= running.then(begin, begin)
    return next
  }
  const isFresh = () => known !== undefined && clock.monotonic() - known.askedAt < leaseMs
  // Its failure is told by `blind`.
  const refreshQuietly = () => void refresh().catch(() => {})

  return {
    state(feature) {
      demandFeature(feature, features)
      if (known) return known.states.get(feature)!
      throw new SluiceError('CUTOVER_UNKNOWN', 'The phases of the features have not been read yet.', {
        feature,
      })
    },
    isFresh,
    async ready() {
      if (!known) return refresh()
      if (!isFresh() && !running) refreshQuietly()
    },
    refresh,
    task: (signal) => {
      // A question that a frozen server never answers must not hold the loop, so it is asked and not awaited.
      const poll = repeat(options.pollMs, clock, () => {
        sight.look()
        if (!running) refreshQuietly()
      })
      return runTasks([poll, listening(options, refreshQuietly)], signal)
    },
  }
}

export function demandFeature(feature: string, features: readonly string[]): void {
  if (features.includes(feature)) return
  const message = `There is no feature ${JSON.stringify(feature)}; allowed: ${features.join(', ')}.`
  throw new SluiceError('USAGE', message, { feature })
}

function tellLearned(events: CutoverEmitter, before: FeatureState, now: FeatureState): void {
  if (before.revision === now.revision) return
  events.emit('learned', {
    feature: now.feature,
    from: before.phase,
    to: now.phase,
    revision: now.revision,
  })
}

/** Without messages the poll finds every change: a little later. */
function listening({ listen, events }: KnowledgeOptions, onChange: () => void): Task {
  return async (signal) => {
    try {
      await listen?.(onChange)(signal)
    } catch (error) {
      events.emit('disturbed', { where: 'channel', reason: messageOf(error) })
    }
  }
}

/** Reports once when nothing could be seen for `blindMs`, and once when it can again. */
function openSight({ clock, events, blindMs }: KnowledgeOptions) {
  let since = clock.monotonic()
  let reason = 'no answer'
  let isBlind = false
  return {
    saw() {
      const afterMs = clock.monotonic() - since
      since = clock.monotonic()
      if (isBlind) events.emit('sighted', { afterMs })
      isBlind = false
    },
    failed(why: string) {
      reason = why
    },
    look() {
      const forMs = clock.monotonic() - since
      if (isBlind || forMs < blindMs) return
      isBlind = true
      events.emit('blind', { forMs, reason })
    },
  }
}
