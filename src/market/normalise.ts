// From a message of the outside to messages of `market.quotes`, or to reasons why not. Pure: the same input gives
// the same events under the same ids, so that redundant bridges store each message once.
import { createHash } from 'node:crypto'
import { type Outgoing, outgoing } from '../bus/index.ts'
import {
  type BoardOf,
  type InputRejected,
  marketQuotes,
  type Quote,
  type QuoteMessage,
  splitByBoard,
} from '../catalog/index.ts'
import { deriveId, messageOf } from '../kernel/index.ts'
import { type ChannelFacts, factsOfChannel } from './input-channel.ts'
import { type ReadRules, readQuote } from './read-quote.ts'
import type { Rejection } from './reasons.ts'

export interface InputRules extends ReadRules {
  readonly boardOf: BoardOf
  /** Longer texts are not parsed. Characters: a text of n characters has n to 3n bytes. */
  readonly maxCharacters: number
  readonly maxQuotes: number
}

export interface Normalised {
  readonly messages: readonly QuoteMessage[]
  /** Quotes in `messages`. */
  readonly accepted: number
  readonly rejections: readonly Rejection[]
}

const nothing = (rejection: Rejection): Normalised => ({ messages: [], accepted: 0, rejections: [rejection] })

/** A message of an input channel. */
export function normaliseText(channel: string, text: string, now: number, rules: InputRules): Normalised {
  const parsed = parseText(text, rules)
  return 'reason' in parsed ? nothing(parsed) : normaliseValue(channel, parsed.value, now, rules)
}

/** The JSON of a channel message that is not too large. */
export function parseText(
  text: string,
  { maxCharacters }: Pick<InputRules, 'maxCharacters'>,
): { readonly value: unknown } | Rejection {
  if (text.length > maxCharacters) {
    return { reason: 'too_large', detail: `${text.length} characters; allowed are ${maxCharacters}` }
  }
  try {
    return { value: JSON.parse(text) as unknown }
  } catch (error) {
    return { reason: 'not_json', detail: messageOf(error).slice(0, 200) }
  }
}

/** What a message holds: the items of an array, or itself; of a stream entry the channel is undefined. */
export function itemsOf(
  channel: string | undefined,
  value: unknown,
  { maxQuotes }: Pick<InputRules, 'maxQuotes'>,
): { readonly facts: ChannelFacts | undefined; readonly items: readonly unknown[] } | Rejection {
  const facts = channel === undefined ? undefined : factsOfChannel(channel)
  if (channel !== undefined && !facts) return { reason: 'unknown_channel', detail: channel.slice(0, 200) }
  const items: readonly unknown[] = Array.isArray(value) ? value : [value]
  if (items.length === 0) return { reason: 'bad_shape', detail: 'an empty array' }
  if (items.length > maxQuotes) {
    return { reason: 'too_many', detail: `${items.length} in one message; allowed are ${maxQuotes}` }
  }
  return { facts, items }
}

/**
 * A parsed message; of a stream entry the channel is undefined. The good quotes of an array travel together, a bad
 * one is rejected by itself: one delisted symbol must not silence a venue.
 */
export function normaliseValue(
  channel: string | undefined,
  value: unknown,
  now: number,
  rules: InputRules,
): Normalised {
  const found = itemsOf(channel, value, rules)
  if ('reason' in found) return nothing(found)
  const { facts, items } = found
  const byVenue = new Map<string, { simulated: boolean; quotes: Quote[] }>()
  const rejections: Rejection[] = []
  for (const [i, item] of items.entries()) {
    const read = readQuote(item, facts, now, rules)
    if ('reason' in read) {
      rejections.push(Array.isArray(value) ? { ...read, detail: `quote ${i}: ${read.detail}` } : read)
      continue
    }
    const { name, kind } = read.spec
    const group = byVenue.get(name) ?? { simulated: kind === 'simulated', quotes: [] }
    group.quotes.push(read.quote)
    byVenue.set(name, group)
  }
  const messages = [...byVenue].flatMap(([venue, { quotes, simulated }]) =>
    splitByBoard(venue, quotes, rules.boardOf, simulated),
  )
  return { messages, accepted: items.length - rejections.length, rejections }
}

/** The event of a message; its id is its content, so that two bridges store it once. */
export const quoteEvent = (message: QuoteMessage, time: number): Outgoing =>
  outgoing(
    marketQuotes,
    deriveId('input', message.venue, message.board, JSON.stringify(message.quotes)),
    message,
    {
      time,
    },
  )

const EXCERPT_CHARACTERS = 2_000

/** What is kept of a message that was not used, in whole or in part. */
export function rejectionOf(channel: string, text: string, rejections: readonly Rejection[]): InputRejected {
  const [first] = rejections
  return {
    channel: channel.slice(0, 200),
    reason: first?.reason ?? 'bad_shape',
    details: rejections.slice(0, 20).map(({ reason, detail }) => `${reason}: ${detail}`),
    rejected: rejections.length,
    excerpt: text.slice(0, EXCERPT_CHARACTERS),
    bytes: Buffer.byteLength(text),
    sha256: createHash('sha256').update(text).digest('hex'),
  }
}
