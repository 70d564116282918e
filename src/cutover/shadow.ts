// A read that the phase answers, compared with the other store behind the caller's back. The two reads are not of one
// moment, so what differs is looked at again after a pause, and only an answer that stands still on both sides and
// differs is a difference. It puts the feature back by one phase; forward it goes only by a person's command and with a
// new comparison, so nothing can swing to and fro.
import type { Database } from '../db/index.ts'
import { type Clock, messageOf, type Task } from '../kernel/index.ts'
import type { CutoverEmitter } from './events.ts'
import { excerptsOf } from './excerpt.ts'
import type { Knowledge } from './knowledge.ts'
import { otherSide, type Side, useOf } from './phase.ts'
import { addShadow } from './runs.ts'
import { type FoundDifference, stepBack } from './step-back.ts'
import type { FeatureState } from './store.ts'

export interface ShadowRead<T> {
  /** Names the read in a difference: `recent EURUSD 100`. */
  readonly what: string
  readonly legacy: () => Promise<T>
  readonly current: () => Promise<T>
  /**
   * Whether both say the same; what moves with time (the newest seconds) is best left out. It looks at an answer after
   * that was given, so who is given it must not change it.
   */
  readonly same: (one: T, other: T) => boolean
  /** For a person who looks at a difference. */
  readonly text: (answer: T) => string
  /** Compares one of so many. Default 1: each. */
  readonly every?: number
}

export interface ShadowOptions {
  readonly database: Database
  readonly clock: Clock
  readonly knowledge: Knowledge
  readonly events: CutoverEmitter
  /** Comparisons under way at once; further reads are not compared. */
  readonly comparisonsMax: number
  /** Pauses before each further look at what differed. */
  readonly recheckMs: readonly number[]
  /** Pause before a step back that failed is tried again. */
  readonly retryMs: number
  /** Says that something has changed; never rejects. */
  readonly tell: () => Promise<void>
}

export interface Shadow {
  read<T>(feature: string, read: ShadowRead<T>): Promise<T>
  /** Adds to the database now and then how many reads were compared. */
  readonly task: Task
  /** Ends comparisons that are under way; what they have counted is kept. */
  close(): Promise<void>
}

// Seldom, because it is only there to be looked at.
const FLUSH_MS = 2_000

interface Tally {
  readonly state: FeatureState
  compared: number
}

export function openShadow(options: ShadowOptions): Shadow {
  const { database, clock, knowledge, events } = options
  const closing = new AbortController()
  const running = new Set<Promise<void>>()
  const turns = new Map<string, number>()
  let tallies = new Map<string, Tally>()

  function isSampled(feature: string, every: number): boolean {
    const turn = (turns.get(feature) ?? 0) + 1
    turns.set(feature, turn)
    return turn % every === 0
  }
  function tally(state: FeatureState, compared: number): void {
    const name = `${state.feature} ${state.revision}`
    const one = tallies.get(name) ?? { state, compared: 0 }
    one.compared += compared
    tallies.set(name, one)
  }
  async function flush(): Promise<void> {
    const all = [...tallies.values()]
    tallies = new Map()
    if (all.length === 0) return
    try {
      await database.write(async (tx) => {
        for (const { state, compared } of all)
          await addShadow(tx, state, { compared, different: 0, at: clock.now() })
      })
    } catch (error) {
      // Others were counted meanwhile.
      for (const { state, compared } of all) tally(state, compared)
      events.emit('disturbed', { where: 'count of compared reads', reason: messageOf(error) })
    }
  }
  async function compareBehind<T>(state: FeatureState, read: ShadowRead<T>, given: T): Promise<void> {
    const { feature } = state
    try {
      const seen = await compareAnswers({ ...options, state, read, answer: given, signal: closing.signal })
      if (closing.signal.aborted) return
      tally(state, 1)
      events.emit('compared', { feature, result: seen.result })
      if (seen.difference) await stepBack({ ...options, signal: closing.signal }, state, seen.difference)
    } catch (error) {
      events.emit('unread', { feature, what: read.what, reason: messageOf(error) })
    }
  }

  return {
    async read(feature, read) {
      await knowledge.ready()
      const state = knowledge.state(feature)
      const { reads, compares } = useOf(state.phase)
      const answer = await read[reads]()
      if (!compares || !state.complete || !isSampled(feature, read.every ?? 1)) return answer
      if (running.size >= options.comparisonsMax || closing.signal.aborted) {
        events.emit('skipped', { feature })
        return answer
      }
      const work = compareBehind(state, read, answer)
      running.add(work)
      void work.finally(() => running.delete(work))
      return answer
    },
    async task(signal) {
      while (!signal.aborted) {
        await clock.sleep(FLUSH_MS, signal)
        await flush()
      }
    },
    async close() {
      closing.abort()
      await Promise.all(running)
      await flush()
    },
  }
}

interface Comparison<T> {
  readonly clock: Clock
  readonly recheckMs: readonly number[]
  readonly state: FeatureState
  readonly read: ShadowRead<T>
  /** Of the store that answered. */
  readonly answer: T
  readonly signal: AbortSignal
}

interface Seen {
  readonly result: 'equal' | 'late' | 'moving' | 'different'
  readonly difference?: FoundDifference
}

async function compareAnswers<T>({
  clock,
  recheckMs,
  state,
  read,
  answer,
  signal,
}: Comparison<T>): Promise<Seen> {
  const answering = useOf(state.phase).reads
  const look = (side: Side) => read[side]()
  let [mine, other] = [answer, await look(otherSide(answering))]
  if (read.same(mine, other)) return { result: 'equal' }
  let stands = false
  for (const pauseMs of recheckMs) {
    await clock.sleep(pauseMs, signal)
    if (signal.aborted) return { result: 'moving' }
    const [mineNow, otherNow] = [await look(answering), await look(otherSide(answering))]
    if (read.same(mineNow, otherNow)) return { result: 'late' }
    stands = read.same(mineNow, mine) && read.same(otherNow, other)
    ;[mine, other] = [mineNow, otherNow]
  }
  if (!stands) return { result: 'moving' }
  const [legacy, current] = answering === 'legacy' ? [mine, other] : [other, mine]
  return {
    result: 'different',
    difference: { key: read.what, ...excerptsOf(read.text(legacy), read.text(current)) },
  }
}
