// From a message of the outside to events of `market.funding`, or to reasons why not; as pure as for quotes.
import { type Outgoing, outgoing } from '../bus/index.ts'
import { type FundingEvent, marketFunding } from '../catalog/index.ts'
import { deriveId } from '../kernel/index.ts'
import { type InputRules, itemsOf, parseText } from './normalise.ts'
import { readFunding } from './read-funding.ts'
import type { Rejection } from './reasons.ts'

export interface NormalisedFunding {
  readonly found: readonly FundingEvent[]
  readonly rejections: readonly Rejection[]
}

const nothing = (rejection: Rejection): NormalisedFunding => ({ found: [], rejections: [rejection] })

/** A message of the channel of an instrument. */
export function fundingOfText(
  channel: string,
  text: string,
  now: number,
  rules: InputRules,
): NormalisedFunding {
  const parsed = parseText(text, rules)
  return 'reason' in parsed ? nothing(parsed) : fundingOfValue(channel, parsed.value, now, rules)
}

/** Each of an array is taken or rejected by itself; of a stream entry the channel is undefined. */
export function fundingOfValue(
  channel: string | undefined,
  value: unknown,
  now: number,
  rules: InputRules,
): NormalisedFunding {
  const message = itemsOf(channel, value, rules)
  if ('reason' in message) return nothing(message)
  const found: FundingEvent[] = []
  const rejections: Rejection[] = []
  for (const [i, item] of message.items.entries()) {
    const read = readFunding(item, message.facts, now, rules.venues)
    if (!('reason' in read)) found.push(read)
    else rejections.push(Array.isArray(value) ? { ...read, detail: `item ${i}: ${read.detail}` } : read)
  }
  return { found, rejections }
}

/**
 * Its id is its content, the time at which it was said included: two bridges store it once, and a rate that is said
 * again after another one is another event.
 */
export const fundingEventOf = (data: FundingEvent, time: number): Outgoing =>
  outgoing(marketFunding, deriveId('funding', JSON.stringify(data)), data, { time })
