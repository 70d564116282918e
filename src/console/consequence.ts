// What an event leads to: counters that move and, where a person should know, a line in the log.
import type { CounterName, GaugeName, Labels } from './counters.ts'
import type { Troubled } from './troubles.ts'

type Count = readonly [name: CounterName, by: number, labels?: Labels]

export interface Consequence {
  readonly counts: readonly Count[]
  readonly levels?: Readonly<Partial<Record<GaugeName, number>>>
  /** Of all its levels. */
  readonly levelLabels?: Labels
  /** `key` tells apart what is counted together when it is too much to log. */
  readonly warning?: { readonly level: 'warn' | 'error'; readonly says: string; readonly key: string }
  readonly troubles?: Troubled
}

export const seconds = (ms: number) => ms / 1_000
export const counts = (...all: Count[]): Consequence => ({ counts: all })
export const levels = (all: Consequence['levels'] & {}): Consequence => ({ counts: [], levels: all })
export const says = (level: 'warn' | 'error', text: string, key: string, ...all: Count[]): Consequence => ({
  counts: all,
  warning: { level, says: text, key },
})
/** With what cannot be done at present; nothing where it is over. */
export const troubled = (
  of: string,
  now: Troubled['now'],
  consequence: Consequence = counts(),
): Consequence => ({ ...consequence, troubles: { of, now } })
