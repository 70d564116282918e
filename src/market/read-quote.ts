// One quote as it came from outside: a tick, a book, or either within the envelope of the reference system.
import type { Level, Quote } from '../catalog/index.ts'
import type { VenueSpec, VenueTable } from '../venues/index.ts'
import type { ChannelFacts } from './input-channel.ts'
import { positiveNumber } from './numbers.ts'
import {
  attempt,
  type Fields,
  fieldsOf,
  firstOf,
  momentOf,
  Refused,
  shown,
  symbolOf,
  venueOf,
} from './read-fields.ts'
import type { Rejection } from './reasons.ts'

export interface ReadRules {
  readonly venues: VenueTable
  /** Levels of each side that are kept; those beyond are neither kept nor looked at. */
  readonly levels: number
}

export interface ReadQuote {
  readonly spec: VenueSpec
  readonly quote: Quote
}

export function readQuote(
  value: unknown,
  channel: ChannelFacts | undefined,
  now: number,
  rules: ReadRules,
): ReadQuote | Rejection {
  return attempt(() => {
    const fields = fieldsOf(value, 'a quote')
    const spec = venueOf(fields, channel, rules.venues)
    const symbol = symbolOf(fields, channel, spec)
    const { bids, asks } = sidesOf(fields, rules.levels)
    if (bids[0] && asks[0] && bids[0][0] > asks[0][0]) {
      throw new Refused('crossed', `bid ${bids[0][0]} is above ask ${asks[0][0]}`)
    }
    return { spec, quote: { symbol, bids, asks, time: momentOf(fields, now) } }
  })
}

function sidesOf(fields: Fields, most: number): { bids: Level[]; asks: Level[] } {
  if (fields['bids'] !== undefined || fields['asks'] !== undefined) {
    return { bids: levelsOf(fields, 'bids', most, -1), asks: levelsOf(fields, 'asks', most, 1) }
  }
  return { bids: [bestOf(fields, 'bid')], asks: [bestOf(fields, 'ask')] }
}

function bestOf(fields: Fields, side: 'bid' | 'ask'): Level {
  const size = firstOf(fields, [`${side}Size`, `${side}_size`, `${side}Volume`, `${side}_volume`])
  if (fields[side] === undefined) throw new Refused('missing_field', `${side} is missing`)
  if (size === undefined) throw new Refused('missing_field', `${side}Size is missing`)
  return levelOf(fields[side], size, side)
}

function levelsOf(fields: Fields, side: 'bids' | 'asks', most: number, direction: 1 | -1): Level[] {
  const given = fields[side]
  if (given === undefined) throw new Refused('missing_field', `${side} is missing`)
  if (!Array.isArray(given)) throw new Refused('bad_shape', `${side} is not an array of [price, size]`)
  const levels: Level[] = []
  for (let i = 0; i < Math.min(given.length, most); i += 1) {
    const pair: unknown = given[i]
    if (!Array.isArray(pair)) throw new Refused('bad_shape', `${side}.${i} is not [price, size]`)
    const level = levelOf(pair[0], pair[1], `${side}.${i}`)
    if (i > 0 && !((level[0] - levels[i - 1]![0]) * direction > 0)) {
      throw new Refused('not_best_first', `${side}.${i} has price ${level[0]} after ${levels[i - 1]![0]}`)
    }
    levels.push(level)
  }
  return levels
}

function levelOf(price: unknown, size: unknown, where: string): Level {
  const [p, q] = [positiveNumber(price), positiveNumber(size)]
  if (p === undefined) throw new Refused('bad_price', `${where} has price ${shown(price)}`)
  if (q === undefined) throw new Refused('bad_size', `${where} has size ${shown(size)}`)
  return [p, q]
}
