// One observer for all mechanisms and contexts: their events become counters, and what a person should know becomes
// a log line. A new event does not compile until it is said here what becomes of it.
import type { EventEmitter } from 'eventemitter3'
import type { Clock, Logger } from '../kernel/index.ts'
import type { Consequence } from './consequence.ts'
import { type Counters, type GaugeName, openCounters } from './counters.ts'
import type { Emitters } from './emitters.ts'
import { RULES } from './rules.ts'
import { openTroubles, type Troubles } from './troubles.ts'
import { openWarnings } from './warnings.ts'

export interface Observed extends Counters {
  readonly troubles: Troubles['list']
}

/** Listens for as long as the emitters live. */
export function observe(emitters: Emitters, { clock, log }: { clock: Clock; log: Logger }): Observed {
  const counters = openCounters()
  const troubles = openTroubles(clock)
  const warn = openWarnings(clock, log)
  for (const [part, emitter] of Object.entries(emitters)) {
    const rules = RULES[part as keyof Emitters] as Record<string, (fact: never) => Consequence>
    for (const [event, rule] of Object.entries(rules)) {
      ;(emitter as EventEmitter).on(event, (fact: unknown) => {
        const { counts, levels = {}, levelLabels = {}, warning, troubles: troubled } = rule(fact as never)
        for (const [name, by, labels] of counts) counters.add(name, labels ?? {}, by)
        for (const [name, value] of Object.entries(levels)) {
          counters.set(name as GaugeName, value, levelLabels)
        }
        if (troubled) troubles.set(troubled)
        if (warning) warn({ part, event, ...warning, fact: fact as object })
      })
    }
  }
  return { ...counters, troubles: troubles.list }
}
