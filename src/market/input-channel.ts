// What an input channel's name says about the messages on it.
import { INPUT_CHANNEL } from '../catalog/index.ts'

export interface ChannelFacts {
  readonly venue: string
  /** Absent on market:batch:VENUE. */
  readonly symbol: string | undefined
  readonly about: 'quotes' | 'funding'
}

/** Undefined when the name lacks a part. */
export function factsOfChannel(channel: string): ChannelFacts | undefined {
  const match = INPUT_CHANNEL.exec(channel)
  if (!match) return undefined
  const { batchVenue, kind, venue, symbol } = match.groups as Record<string, string | undefined>
  if (batchVenue !== undefined) return { venue: batchVenue, symbol: undefined, about: 'quotes' }
  const about = kind === 'funding' ? 'funding' : 'quotes'
  return venue === undefined ? undefined : { venue, symbol, about }
}
