// Where in a partition a person means by "from there on".
import { isoTime, SluiceError } from '../kernel/index.ts'
import type { SeekTarget } from './bus.ts'
import { DATE_MAX_MS, previousId } from './codec.ts'

// A time without a zone would mean something else on every machine.
const ISO = /^\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d(\.\d{1,9})?)?(Z|[+-]\d\d:\d\d))?$/

/** Reads `start`, `end`, an entry id, ms since 1970 or an ISO time with its zone. Throws USAGE. */
export function readSeekTarget(text: string): SeekTarget {
  if (text === 'start' || text === 'end') return text
  if (/^\d{1,16}-\d{1,19}$/.test(text)) return { entry: text }
  const time = /^\d{1,16}$/.test(text) ? Number(text) : ISO.test(text) ? Date.parse(text) : Number.NaN
  if (time >= 0 && time <= DATE_MAX_MS) return { time }
  throw new SluiceError(
    'USAGE',
    `${JSON.stringify(text.slice(0, 60))} is no place to read from; allowed: start, end, an entry id ` +
      '(1700000000000-0), ms since 1970, or a time with its zone (2026-01-31T09:30:00Z).',
  )
}

/** The target as a sentence has it. */
export function seekTargetText(to: SeekTarget): string {
  if (to === 'start') return 'the oldest entry that is kept'
  if (to === 'end') return 'what comes next'
  return 'entry' in to ? `entry ${to.entry}` : isoTime(to.time)
}

/** The id behind which the target begins; `$` for the end of the partition. */
export function idBefore(to: SeekTarget): string {
  if (to === 'start') return '0-0'
  if (to === 'end') return '$'
  return previousId('entry' in to ? to.entry : `${to.time}-0`)
}
