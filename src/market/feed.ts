// Publishes the simulated market or a recording. An id is derived from what happened and its place in the feed, so
// that a feed that is started twice stores each message once. A full stream makes the feed wait; it drops nothing.
import { type Bus, outgoing } from '../bus/index.ts'
import { marketQuotes, parseBoards } from '../catalog/index.ts'
import { type Clock, type Config, deriveId, type Task } from '../kernel/index.ts'
import {
  type FeedStep,
  openRecording,
  type PublishSteps,
  type ReplaySummary,
  replay,
  simulate,
  type VenueTable,
} from '../venues/index.ts'
import type { MarketEmitter } from './market-events.ts'
import { publishAll } from './outbound.ts'

export interface FeedOptions {
  readonly bus: Pick<Bus, 'publish'>
  readonly venues: VenueTable
  readonly config: Pick<
    Config,
    'FEED' | 'FEED_SPEED' | 'SIM_SEED' | 'SIM_UPDATES_PER_SECOND' | 'BOOK_LEVELS' | 'MARKET_BOARDS'
  >
  readonly clock: Clock
  readonly events: MarketEmitter
  /** After the last message of a recording, or when it was told to stop before. */
  readonly onEnd?: (summary: ReplaySummary) => void
}

const RECORDING = 'replay:'

/** What FEED says. Throws FILE_NOT_FOUND or RECORDING_INVALID; resolves at a recording's end. */
export const feedTask =
  (options: FeedOptions): Task =>
  async (signal) => {
    const { venues, config, clock, onEnd } = options
    const boardOf = parseBoards(config.MARKET_BOARDS)
    const publish = publisher(options, signal)
    if (config.FEED === 'simulated') return simulate({ config, venues, boardOf, clock, publish })(signal)
    if (!config.FEED.startsWith(RECORDING)) return
    const path = config.FEED.slice(RECORDING.length)
    const recording = await openRecording(path, { boardOf, levels: config.BOOK_LEVELS })
    const onRejected = (rejected: readonly unknown[]) =>
      options.events.emit('rejected', { from: 'feed', reason: 'recording', count: rejected.length })
    const summary = await replay({ recording, speed: config.FEED_SPEED, clock, publish, onRejected }, signal)
    onEnd?.(summary)
  }

function publisher(options: FeedOptions, signal: AbortSignal): PublishSteps {
  return async (steps) => {
    const events = steps.flatMap(eventsOf)
    if (!(await publishAll(options, events, signal))) {
      options.events.emit('lost', { reason: 'stopped', count: events.length })
      return
    }
    const quotes = steps.reduce((sum, { messages }) => messages.reduce((n, m) => n + m.quotes.length, sum), 0)
    if (quotes > 0) options.events.emit('accepted', { from: 'feed', count: quotes })
  }
}

/** A step holds one message for each venue and board, so its place names the message. */
const eventsOf = ({ sequence, time, messages }: FeedStep) =>
  messages.map((message) =>
    outgoing(marketQuotes, deriveId('feed', message.venue, message.board, time, sequence), message, { time }),
  )
