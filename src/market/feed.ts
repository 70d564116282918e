// Publishes the simulated market or a recording. An id is derived from what happened and its place in the feed, so
// that a recording that is played by two feeds is stored once; two simulations are two markets under one name, so run
// one. A full stream makes the feed wait; it drops nothing.
import { type Bus, outgoing } from '../bus/index.ts'
import { marketQuotes, parseBoards } from '../catalog/index.ts'
import { type Clock, type Config, deriveId, messageOf, type Task } from '../kernel/index.ts'
import {
  type FeedStep,
  openRecording,
  type PublishSteps,
  type ReplaySummary,
  replay,
  simulate,
  type VenueTable,
} from '../venues/index.ts'
import type { FeedPlace } from './feed-place.ts'
import type { MarketEmitter } from './market-events.ts'
import { isTemporary, publishAll } from './outbound.ts'

export interface FeedOptions {
  readonly bus: Pick<Bus, 'publish'>
  readonly venues: VenueTable
  readonly config: Pick<
    Config,
    'FEED' | 'FEED_SPEED' | 'SIM_SEED' | 'SIM_UPDATES_PER_SECOND' | 'BOOK_LEVELS' | 'MARKET_BOARDS'
  >
  readonly clock: Clock
  readonly events: MarketEmitter
  /** Where a recording goes on; without it, it begins at its beginning. */
  readonly place?: FeedPlace
  /** When this Redis has the recording's first `step` steps already: they are not published again. */
  readonly onResume?: (step: number) => void
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
    if (config.FEED === 'simulated') {
      const publish = publisher(options, undefined, signal)
      return simulate({ config, venues, boardOf, clock, publish })(signal)
    }
    if (!config.FEED.startsWith(RECORDING)) return
    const path = config.FEED.slice(RECORDING.length)
    const recording = await openRecording(path, { boardOf, levels: config.BOOK_LEVELS })
    const { place } = options
    const done = place ? await untilRedis(options, signal, place.read) : 0
    if (done === undefined) return
    if (done > 0) options.onResume?.(done)
    const publish = publisher(options, place, signal)
    const onRejected = (rejected: readonly unknown[]) =>
      options.events.emit('rejected', { from: 'feed', reason: 'recording', count: rejected.length })
    const terms = { recording, speed: config.FEED_SPEED, clock, publish, onRejected, done }
    const summary = await replay(terms, signal)
    onEnd?.(summary)
  }

function publisher(options: FeedOptions, place: FeedPlace | undefined, signal: AbortSignal): PublishSteps {
  let isWhole = true
  return async (steps) => {
    const events = steps.flatMap(eventsOf)
    if (!(await publishAll(options, events, signal))) {
      // What a recording could not store is stored by the next start, so nothing behind it may be noted.
      isWhole = false
      options.events.emit('lost', { reason: 'stopped', count: events.length })
      return
    }
    const quotes = steps.reduce((sum, { messages }) => messages.reduce((n, m) => n + m.quotes.length, sum), 0)
    if (quotes > 0) options.events.emit('accepted', { from: 'feed', count: quotes })
    const last = steps.at(-1)
    if (place && last && isWhole) await untilRedis(options, signal, () => place.keep(last.sequence))
  }
}

const RETRY_MS = 500

/** Undefined when it was told to stop while Redis was away. */
async function untilRedis<T>(
  { clock, events }: FeedOptions,
  signal: AbortSignal,
  work: () => Promise<T>,
): Promise<T | undefined> {
  for (;;) {
    try {
      return await work()
    } catch (error) {
      if (!isTemporary(error)) throw error
      if (signal.aborted) return undefined
      events.emit('waiting', { reason: messageOf(error), queued: 0, inMs: RETRY_MS })
      await clock.sleep(RETRY_MS, signal)
    }
  }
}

/** A step holds one message for each venue and board, so its place names the message. */
const eventsOf = ({ sequence, time, messages }: FeedStep) =>
  messages.map((message) =>
    outgoing(marketQuotes, deriveId('feed', message.venue, message.board, time, sequence), message, { time }),
  )
