// Columns in which every tick has the same, as sizes, volume and flags often do: made once and shared by all blocks
// (without them a third of the time of reading went into making and clearing arrays).
import { BLOCK_TICKS_MAX } from './columns.ts'

export const ZEROS = new Uint32Array(BLOCK_TICKS_MAX)

const SHARED_MAX = 16
// For a smaller block its own array is cheaper than a full one that nobody may ask for again.
const SHARED_FROM = 512

const shared = new Map([Number.NaN, 0].map((value) => [value, filled(value, BLOCK_TICKS_MAX)]))

/** At least `count` of the value, which is not -0. Not to be changed. */
export function constantFloats(value: number, count: number): Float64Array {
  const known = shared.get(value)
  if (known) return known
  if (count < SHARED_FROM || shared.size >= SHARED_MAX) return filled(value, count)
  const added = filled(value, BLOCK_TICKS_MAX)
  shared.set(value, added)
  return added
}

/** The same for words. */
export const constantWords = (value: number, count: number): Uint32Array =>
  value === 0 ? ZEROS : new Uint32Array(count).fill(value)

function filled(value: number, count: number): Float64Array {
  return new Float64Array(count).fill(value)
}
