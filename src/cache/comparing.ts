// Watches from inside whether what is cached is true: now and then a read is kept in mind, its source is asked past the
// cache later, and the two are compared. An answer is called wrong only when nobody told of a change, for longer than
// the relay needs after a crash: what was dropped meanwhile is not judged.
import { isDeepStrictEqual } from 'node:util'
import { type Clock, messageOf } from '../kernel/index.ts'
import type { Bulkhead } from './bulkhead.ts'
import type { Drop } from './drops.ts'
import type { CacheEmitter } from './events.ts'
import { checked, type Question, readText, textOf } from './loading.ts'
import { placeOf, type ViewKey } from './view.ts'

export interface CompareTimes {
  /** At most one comparison begins in this time, and one is under way at a time, ms. Default 2,000. */
  readonly everyMs: number
  /** From the read to the look at its source: all that was told before the read has been heard by then, ms. */
  readonly afterMs: number
  /** How long a change that was seen may take to be told, ms: above the sweep of the relay. Default 3,000. */
  readonly settleMs: number
}

export interface ComparingOptions extends CompareTimes {
  readonly bulkhead: Bulkhead
  readonly clock: Clock
  readonly events: CacheEmitter
  /** Whether drops are known to arrive. */
  readonly isHeard: () => boolean
}

/** `changed`: told of meanwhile, so nothing can be said. `unread`: the source failed. */
export type Comparison = 'equal' | 'changed' | 'wrong' | 'unread'

export interface Comparing {
  /** Reads from this moment on are offered, monotonic ms. */
  readonly dueAt: () => number
  /** @param ageMs how old the answer is, where it came from memory. */
  offer<K extends ViewKey, V>(question: Question<K, V>, answer: Promise<V>, ageMs?: number): void
  heard(drops: readonly Drop[]): void
  /** Drops may have been missed. */
  lost(): void
  close(): void
}

// Pages ask for the same answers in the same order: a prime of reads is passed over in turns, so that each has its turn.
const TURNS = 13

interface Watched {
  readonly place: string
  readonly tags: readonly string[]
  /** Aborted when nothing can be said any more. */
  readonly over: AbortController
}

export function openComparing(options: ComparingOptions): Comparing {
  const { clock, events, isHeard } = options
  let isClosed = false
  let watched: Watched | undefined
  let dueAt = clock.monotonic() + options.everyMs
  let begun = 0
  let passed = 0

  async function compare<K extends ViewKey, V>(question: Question<K, V>, answer: Promise<V>, kept: Watched) {
    const value = await answer
    const truth = async () => {
      const read = await options.bulkhead.run(question.load)
      return readText<V>(textOf(checked(question.view, read)))?.value
    }
    const { signal } = kept.over
    const isKnown = () => !signal.aborted && isHeard()
    for (const pauseMs of [options.afterMs, options.settleMs]) {
      await clock.sleep(pauseMs, signal)
      if (!isKnown()) return 'changed'
      // What was given must be what JSON gives back, so that it can be compared with what is cached elsewhere.
      if (isDeepStrictEqual(readText(textOf(value))?.value, await truth())) return 'equal'
    }
    return isKnown() ? 'wrong' : 'changed'
  }
  return {
    dueAt: () => dueAt,
    offer(question, answer, ageMs) {
      const { view, key } = question
      if (watched || view.onlyAges || !isHeard() || passed++ < begun % TURNS) return
      passed = 0
      begun++
      dueAt = Number.POSITIVE_INFINITY
      const kept: Watched = {
        place: placeOf(view, key),
        tags: view.tags?.(key) ?? [],
        over: new AbortController(),
      }
      watched = kept
      compare(question, answer, kept)
        .catch((error: unknown): Comparison => {
          events.emit('disturbed', { reason: `${kept.place} could not be compared: ${messageOf(error)}` })
          return 'unread'
        })
        .then((result: Comparison) => {
          watched = undefined
          dueAt = clock.monotonic() + options.everyMs
          if (!isClosed) events.emit('compared', { view: view.name, place: kept.place, result, ageMs })
        })
    },
    heard(drops) {
      if (!watched) return
      const { place, tags, over } = watched
      if (drops.some((drop) => ('tag' in drop ? tags.includes(drop.tag) : drop.place === place))) over.abort()
    },
    lost: () => watched?.over.abort(),
    close() {
      isClosed = true
      watched?.over.abort()
    },
  }
}
