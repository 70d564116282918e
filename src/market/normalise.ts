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
import { factsOfChannel } from './input-channel.ts'
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

const nothing = (reason: Rejection['reason'], detail: string): Normalised => ({
  messages: [],
  accepted: 0,
  rejections: [{ reason, detail }],
})

/** A message of an input channel. */
export function normaliseText(channel: string, text: string, now: number, rules: InputRules): Normalised {
  if (text.length > rules.maxCharacters) {
    return nothing('too_large', `${text.length} characters; allowed are ${rules.maxCharacters}`)
  }
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (error) {
    return nothing('not_json', messageOf(error).slice(0, 200))
  }
  return normaliseValue(channel, value, now, rules)
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
  const facts = channel === undefined ? undefined : factsOfChannel(channel)
  if (channel !== undefined && !facts) return nothing('unknown_channel', channel.slice(0, 200))
  const items: readonly unknown[] = Array.isArray(value) ? value : [value]
  if (items.length === 0) return nothing('bad_shape', 'an empty array')
  if (items.length > rules.maxQuotes) {
    return nothing('too_many', `${items.length} quotes; allowed are ${rules.maxQuotes}`)
  }
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
