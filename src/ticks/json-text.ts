// One tick as an object of a file: the fields and words of the reference, and what it dropped where it is not the
// default.

import { messageOf } from '../kernel/index.ts'
import { damaged } from './block-damage.ts'
import { tickProblem } from './check-tick.ts'
import { parseTime, timeText } from './parse-time.ts'
import type { Tick } from './tick.ts'

/** The sequence of a tick whose file does not say it. */
export const UNSAID = -1

// JSON.stringify drops the sign of zero, and a spread may be beyond every float64.
const numberText = (value: number): string => {
  if (value === 0) return Object.is(value, -0) ? '-0' : '0'
  return Number.isFinite(value) ? String(value) : 'null'
}

export function tickText(tick: Tick): string {
  const { bid, ask, bidSize, askSize, volume, flags, sequence } = tick
  const more =
    (sequence === UNSAID ? '' : `,"sequence":${sequence}`) +
    (bidSize === undefined ? '' : `,"bid_size":${numberText(bidSize)}`) +
    (askSize === undefined ? '' : `,"ask_size":${numberText(askSize)}`) +
    (Object.is(volume, 0) ? '' : `,"volume":${numberText(volume)}`) +
    (flags === 0 ? '' : `,"flags":${flags}`)
  return (
    `{"broker_id":${JSON.stringify(tick.broker)},"symbol":${JSON.stringify(tick.symbol)},` +
    `"bid":${numberText(bid)},"ask":${numberText(ask)},"spread":${numberText(ask - bid)},` +
    `"timestamp":"${timeText(tick)}","lp":${JSON.stringify(tick.source)}${more}}`
  )
}

type Fields = Readonly<
  Record<
    | 'broker_id'
    | 'symbol'
    | 'bid'
    | 'ask'
    | 'timestamp'
    | 'lp'
    | 'sequence'
    | 'bid_size'
    | 'ask_size'
    | 'volume'
    | 'flags',
    unknown
  >
>

/** The ticks of objects that stand side by side. Throws TICKS_DAMAGED for what is no tick of the symbol. */
export function readTexts(text: string, symbol: string, path: string, offset: number): Tick[] {
  let objects: Partial<Fields>[]
  try {
    objects = JSON.parse(`[${text}]`)
  } catch (error) {
    throw damaged(`${path} is no JSON behind byte ${offset}: ${messageOf(error)}.`, { path, offset }, error)
  }
  return objects.map((fields) => {
    const tick = tickOf(fields)
    const problem = problemOf(fields, tick, symbol)
    if (problem === undefined) return tick
    const shown = JSON.stringify(fields).slice(0, 200)
    throw damaged(`${path} has no tick of ${symbol} behind byte ${offset}: ${problem} in ${shown}.`, {
      path,
      offset,
    })
  })
}

function tickOf(fields: Partial<Fields>): Tick {
  const { timestamp } = fields
  const at = typeof timestamp === 'string' ? parseTime(timestamp) : undefined
  return {
    symbol: fields.symbol as string,
    source: fields.lp as string,
    time: at?.time ?? Number.NaN,
    nanos: at?.nanos ?? 0,
    sequence: (fields.sequence ?? UNSAID) as number,
    bid: fields.bid as number,
    ask: fields.ask as number,
    bidSize: (fields.bid_size ?? undefined) as number | undefined,
    askSize: (fields.ask_size ?? undefined) as number | undefined,
    volume: (fields.volume ?? 0) as number,
    flags: (fields.flags ?? 0) as number,
    broker: (fields.broker_id ?? '') as string,
  }
}

function problemOf({ timestamp }: Partial<Fields>, tick: Tick, symbol: string): string | undefined {
  if (tick.symbol !== symbol) return `the symbol is ${JSON.stringify(tick.symbol)}`
  if (Number.isNaN(tick.time)) return `the timestamp is ${JSON.stringify(timestamp)}`
  return tickProblem(tick.sequence === UNSAID ? { ...tick, sequence: 0 } : tick)
}

/**
 * Gives each tick without a sequence the lowest that none of its source and time says, in the order of the files: 0, 1,
 * 2 … in a file of the reference, and what a writer of ours found them to be.
 */
export function withSequences(ticks: readonly Tick[]): readonly Tick[] {
  if (ticks.every(({ sequence }) => sequence !== UNSAID)) return ticks
  const places = new Map<string, { readonly taken: Set<number>; next: number }>()
  const placesOf = ({ time, nanos, source }: Tick) => {
    const key = `${time} ${nanos} ${source}`
    let known = places.get(key)
    if (!known) {
      known = { taken: new Set(), next: 0 }
      places.set(key, known)
    }
    return known
  }
  for (const tick of ticks) if (tick.sequence !== UNSAID) placesOf(tick).taken.add(tick.sequence)
  return ticks.map((tick) => {
    if (tick.sequence !== UNSAID) return tick
    const known = placesOf(tick)
    while (known.taken.has(known.next)) known.next++
    return { ...tick, sequence: known.next++ }
  })
}
